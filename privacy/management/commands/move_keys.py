"""`manage.py move_keys`: copy one sort of keys from a folder to KMS, or back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import keystores
from privacy.errors import PrivacyError

NEXT = {
    "root": "Then run `manage.py rotate_root --now` as the keeper: the old place still opens what"
    " was wrapped before, until its roots are destroyed.",
    "fleet": "The seeds of the old place end within nine days; destroy the old place then.",
    "evidence": "Then destroy the old place.",
    "receipt": "Then destroy the old place.",
    "grant": "Then destroy the old place.",
}


class Command(BaseCommand):
    """It deletes nothing, compares what is there already, and may be run again."""

    help = "Copy keys of one sort to another place, and read each back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, from where, to where."""
        parser.add_argument("--sort", required=True, choices=keystores.SORTS)
        for name in ("from", "to"):
            parser.add_argument(
                f"--{name}",
                required=True,
                metavar="ADDRESS",
                help="A folder, or kms://<bucket>/<prefix>?key=<alias or key id>.",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        """Copy, then say what comes next."""
        sort = options["sort"]
        try:
            source = keystores.at(options["from"], sort)
            labels = keystores.move(source, keystores.at(options["to"], sort))
        except PrivacyError as error:
            raise CommandError(str(error)) from None
        if not labels:
            raise CommandError(f"There are no {sort} keys at {options['from']}.")
        for label in labels:
            self.stdout.write(f"{label}: copied and read back.")
        self.stdout.write(
            f"Next: set SITTER_{sort.upper()}_KEYS to {options['to']} in every role that holds"
            f" these keys, and restart them. {NEXT[sort]}"
        )
