"""`manage.py prove`: look at every promise on the running system; exit 1 when one does not hold."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from privacy import proof, proofbodies
from privacy.errors import KeyNotHeld


class Command(BaseCommand):
    """Run it as upkeep, on the live installation: it harms nothing and opens no person's things."""

    help = "Prove the promises on the running system, and publish the day's report."
    # Ours run whenever Django starts; Django's own would load every address of the web for nothing.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Four switches."""
        parser.add_argument("--json", action="store_true", help="One JSON object.")
        parser.add_argument("--all", action="store_true", help="Hash every body, not a sample.")
        parser.add_argument(
            "--wait", type=float, default=proof.WAIT.total_seconds(), metavar="SECONDS",
            help="How long the other roles are waited for.",
        )  # fmt: skip
        parser.add_argument(
            "--grace", type=float, default=proofbodies.GRACE.total_seconds(), metavar="SECONDS",
            help="How long an object may lie without a row; 0 where nothing else goes on.",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Prove, print, exit."""
        wait = timedelta(seconds=options["wait"])
        try:
            results = proof.run(
                timezone.now(),
                wait=wait,
                grace=timedelta(seconds=options["grace"]),
                everything=options["all"],
            )
        except KeyNotHeld as error:
            raise CommandError("Run this as upkeep (SITTER_ROLE, SITTER_RECEIPT_KEYS).") from error
        failed = [result.name for result in results if not result.holds]
        if options["json"]:
            checks = [asdict(result) for result in results]
            self.stdout.write(json.dumps({"holds": not failed, "failed": failed, "checks": checks}))
        else:
            for result in results:
                word = "holds" if result.holds else f"FAILS ({result.wrong})"
                self.stdout.write(f"{result.name:24} {word:12} {result.says}")
            self.stdout.write(f"{len(results) - len(failed)} of {len(results)} hold.")
        if failed:
            raise SystemExit(1)
