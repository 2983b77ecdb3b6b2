"""The deploy app: management commands, and the roles of staff after each migration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeployConfig(AppConfig):
    """Has no models."""

    name = "deploy"

    def ready(self) -> None:
        """The last of the apps: when it hears of a migration, all tables are there."""
        from deploy.staff import permissions  # models can be imported only now

        post_migrate.connect(permissions.after_migrate)
