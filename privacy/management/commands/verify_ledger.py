"""`manage.py verify_ledger [--json]`: read both ledgers from end to end; exit 1 at any finding."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from privacy import chain


class Command(BaseCommand):
    """Changes nothing. Run it with a login that may read the ledgers: the operator's, or upkeep."""

    help = (
        "Find any changed, removed, inserted or reordered entry of the consent and audit ledgers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One switch."""
        parser.add_argument("--json", action="store_true", help="One JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine, print, exit."""
        started = time.monotonic()
        seen = chain.examine(timezone.now())
        rate = round(seen.entries / max(time.monotonic() - started, 1e-6))
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "intact": not seen.findings,
                        "entries": seen.entries,
                        "entries_a_second": rate,
                        "skipped": seen.skipped,
                        "findings": [
                            {
                                "ledger": found.ledger,
                                "what": found.what,
                                "sentence": found.sentence,
                                "number": found.number,
                                "entry": found.entry_id and str(found.entry_id),
                            }
                            for found in seen.findings
                        ],
                    }
                )
            )
        else:
            for found in seen.findings:
                place = found.number or found.entry_id or ""
                self.stdout.write(f"{found.ledger} {place}: {found.sentence}")
            for part in seen.skipped:
                self.stdout.write(f"Skipped {part}: this login may not read it.")
            verdict = f"{len(seen.findings)} findings" if seen.findings else "intact"
            self.stdout.write(f"{seen.entries} entries, {rate} a second: {verdict}.")
        if seen.findings:
            raise SystemExit(1)
