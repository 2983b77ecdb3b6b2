"""`manage.py replay_ledger [--unasked]`: end again what people had ended before a restore."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from privacy import replay
from privacy.errors import PrivacyError

DONE = {
    "entries": "entries read",
    "erase": "erasures begun again",
    "withdraw": "consents withdrawn again",
    "shorten": "deadlines moved again",
    "jobs": "open jobs cancelled",
    "exports": "rows of exports ended",
    "sessions": "sessions ended",
}


class Command(BaseCommand):
    """What upkeep does by itself, when it starts and each minute. Run it with upkeep's login."""

    help = "Replay the erasure ledger against a database that was restored from a backup."

    def add_arguments(self, parser: CommandParser) -> None:
        """One switch."""
        parser.add_argument(
            "--unasked",
            action="store_true",
            help="Replay although the pulse sees no restore, as after a failover.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay and say what was done. A second run finds nothing to do."""
        try:
            done = replay.run(timezone.now(), timezone.now, unasked=options["unasked"])
        except PrivacyError as refusal:
            raise CommandError(str(refusal)) from refusal
        if done is None:
            self.stdout.write("Nothing to replay: the database is not behind the ledger.")
            return
        for key, words in DONE.items():
            self.stdout.write(f"{done[key]:>8} {words}")
