"""`manage.py grants`: give each PostgreSQL login the rights of its role, after every migration."""

from typing import Any

from django.core.management.base import BaseCommand

from deploy import grants


class Command(BaseCommand):
    """Run as the migrator, who owns the tables."""

    help = "Give each PostgreSQL login the rights of its role."

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply deploy/grants.py and name the logins that do not exist."""
        for role in grants.apply():
            self.stderr.write(f"There is no login sitter_{role}; it was left out.")
