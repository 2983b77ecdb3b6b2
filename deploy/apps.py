"""The deploy app: commands, the roles of staff, and what a process hands on of its log lines."""

import gc

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from deploy import telemetry


class DeployConfig(AppConfig):
    """Has no models."""

    name = "deploy"

    def ready(self) -> None:
        """The last of the apps: when it hears of a migration, all tables are there."""
        from deploy.staff import permissions  # models can be imported only now

        post_migrate.connect(permissions.after_migrate)
        telemetry.start()
        # What was loaded until now stays (deploy/settings.py).
        gc.freeze()
        gc.enable()
