"""`manage.py restore_drill [--people N] [--json]`: rehearse the loss of the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

PEOPLE = 100


class Command(BaseCommand):
    """It starts an embedded stack of its own and touches no other installation."""

    help = (
        "Rehearse a restore on an embedded stack of its own: backup, people who leave, a lost"
        " cluster, the backup again, the ledger replayed, everything proved. Exits with 1 when"
        " something does not hold."
    )
    # Nothing of this process's own settings is used.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """How large, and in which form."""
        parser.add_argument("--people", type=int, default=PEOPLE, help=f"How many ({PEOPLE}).")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rehearse, print, exit."""
        try:
            from deploy.drill import terminal  # the extra `stack` is in no image
        except ModuleNotFoundError as missing:
            raise CommandError(
                f"{missing.name} is not installed: it belongs to the extra `stack`"
                " (pip install 'sitter[stack]'). No image has it; run the drill on a desk."
            ) from missing
        if status := terminal.run(options["people"], as_json=options["json"]):
            raise SystemExit(status)
