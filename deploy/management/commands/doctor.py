"""`manage.py doctor`: what is set up wrongly, and what to do. Exits with 1 or 2 by the worst."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from deploy.doctor import page, rounds
from deploy.doctor.findings import worst


class Command(BaseCommand):
    """Run it as each role, with that role's environment; it changes nothing."""

    help = "Look at settings, keys, services and the machine; say what is wrong and what to do."
    # It makes the same checks itself, and tells them like everything else.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """One switch."""
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, print, exit."""
        found = rounds.examine(timezone.now())
        status = worst(found)
        if options["json"]:
            said = [finding.as_json() for finding in found]
            self.stdout.write(json.dumps({"healthy": not status, "findings": said}))
        else:
            for line in page.lines(found):
                self.stdout.write(line)
        if status:
            raise SystemExit(status)
