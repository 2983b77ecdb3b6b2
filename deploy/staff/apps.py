"""Django's admin, on our site."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """Every page is registered with this site, wherever it is written."""

    default_site = "deploy.staff.site.StaffSite"
