"""`manage.py compact`: rewrite the accounts' tables now, so that no deleted row is left in them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import compact


class Command(BaseCommand):
    """Run as upkeep, which does it by itself after erasures (SITTER_COMPACT_HOURS)."""

    help = "Rewrite the accounts' tables without their deleted rows."

    def handle(self, *args: Any, **options: Any) -> None:
        """Once, at once."""
        if not compact.compact():
            raise CommandError("A table was in use for longer than two seconds; try again.")
