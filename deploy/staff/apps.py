"""Django's admin, on our site."""

from django.conf import settings
from django.contrib.admin.apps import AdminConfig

from deploy.env import Role

# Who has pages, and who makes the permissions to see them.
ROLES = (Role.WEB, Role.MIGRATOR)


class StaffAdminConfig(AdminConfig):
    """Every page is registered with this site, wherever it is written; no worker loads a page."""

    default_site = "deploy.staff.site.StaffSite"

    def ready(self) -> None:
        """All models are loaded."""
        if Role(settings.ROLE) in ROLES:
            super().ready()
