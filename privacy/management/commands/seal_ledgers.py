"""`manage.py seal_ledgers`: link and sign what is new in the ledgers, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from privacy import chain
from privacy.errors import KeyNotHeld


class Command(BaseCommand):
    """Run it as upkeep, before a dump that is to be verified elsewhere."""

    help = "Link and sign new entries of the consent and audit ledgers."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, print."""
        try:
            sealed = chain.seal(timezone.now())
        except KeyNotHeld as error:
            raise CommandError("Run this as upkeep (SITTER_ROLE, SITTER_RECEIPT_KEYS).") from error
        self.stdout.write(f"{sealed} entries sealed.")
