"""`manage.py backlog`: what is past its end and still there. Exits with 1 when anything is."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from privacy import sweeps


class Command(BaseCommand):
    """Run it as upkeep."""

    help = "Count what is past its end by more than the sweeps' grace; all of it must be 0."

    def add_arguments(self, parser: CommandParser) -> None:
        """One switch."""
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each count."""
        counts = sweeps.backlog(timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        else:
            for name, count in counts.items():
                self.stdout.write(f"{count:>8}  {name}")
        if any(counts.values()):
            raise SystemExit(1)
