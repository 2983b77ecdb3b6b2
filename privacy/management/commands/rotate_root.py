"""`manage.py rotate_root`: the keeper's turn of the portrait roots, by hand."""

import sys
from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from privacy import rotation
from privacy.errors import PrivacyError

WIDTH = 30


class Command(BaseCommand):
    """Run it with the keeper's environment. Cut off anywhere, it goes on when run again."""

    help = "Make, rewrap, retire and destroy portrait roots, whatever is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One switch."""
        parser.add_argument(
            "--now", action="store_true", help="Make a new root, even if none is due yet."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One turn, with a bar where somebody watches."""
        started = monotonic()

        def bar(done: int, total: int) -> None:
            rate = done / max(monotonic() - started, 0.001)
            filled = WIDTH * done // total
            line = f"{'█' * filled}{'░' * (WIDTH - filled)} {done:,} of {total:,}, {rate:,.0f}/s"
            self.stderr.write(f"\r{line}", ending="")

        watched = sys.stderr.isatty()
        try:
            done = rotation.turn(
                timezone.now(), force=options["now"], told=bar if watched else None
            )
        except PrivacyError as error:
            raise CommandError(str(error)) from None
        if watched and done.rewrapped:
            self.stderr.write("")
        taken = max(monotonic() - started, 0.001)
        self.stdout.write(f"New root: {done.made or 'none was due'}.")
        self.stdout.write(
            f"Rewrapped: {done.rewrapped:,} owner keys in {taken:.1f} s"
            f" ({done.rewrapped / taken:,.0f}/s)."
        )
        self.stdout.write(f"Destroyed: {', '.join(done.destroyed) or 'no root'}.")
        if done.damaged:
            raise CommandError(
                f"{done.damaged} owner keys do not open under the root that they name; their root"
                " is kept. Restore these rows from a backup, or erase their owners."
            )
