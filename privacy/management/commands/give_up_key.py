"""`manage.py give_up_key`: a key is lost for good; let the system start without it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from privacy import keys


class Command(BaseCommand):
    """Run it as the migrator. What was sealed to the key can never be opened again."""

    help = "Give a lost key up. What was sealed to it cannot be opened again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which key."""
        parser.add_argument("--sort", required=True, choices=("root", "fleet", "evidence"))
        parser.add_argument("--label", required=True, help="As the refusal at start names it.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Close its row."""
        sort, label = options["sort"], options["label"]
        if not keys.give_up(sort, label, timezone.now()):
            raise CommandError(f"No living {sort} key is called {label}.")
        self.stdout.write(f"The {sort} key {label} is given up. Start the roles again.")
