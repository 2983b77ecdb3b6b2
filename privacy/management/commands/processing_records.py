"""`manage.py processing_records`: the records of processing of GDPR Art. 30."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from privacy import records


class Command(BaseCommand):
    """Reads the inventory and the settings; needs no database."""

    help = "Print the records of processing (GDPR Art. 30), from the inventory."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who the controller is, and the form."""
        parser.add_argument("--controller", default=records.CONTROLLER, help="Name and address.")
        parser.add_argument("--contact", default=records.CONTACT, help="How to reach them.")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="As JSON.")
        form.add_argument("--markdown", action="store_true", help="As a page (the default).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        found = records.records(options["controller"], options["contact"])
        text = json.dumps(found, indent=1) + "\n" if options["json"] else records.markdown(found)
        self.stdout.write(text, ending="")
