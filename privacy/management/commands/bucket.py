"""`manage.py bucket`: set the bucket's lifecycle rules from retention.py, or compare them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from privacy import bucket


class Command(BaseCommand):
    """Setting needs the operator's own credentials; the roles may not change their bucket."""

    help = "Apply or check the bucket's lifecycle rules, and look whether it is public."

    def add_arguments(self, parser: CommandParser) -> None:
        """Exactly one of the two."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--apply", action="store_true", help="Set the rules.")
        what.add_argument("--check", action="store_true", help="Compare, and look for faults.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what is set, or what is wrong."""
        if options["apply"]:
            bucket.apply()
        wrong, unseen = bucket.examine()
        wrong += [f"The rule {name} is not as computed." for name in bucket.drift()]
        for sentence in unseen:
            self.stderr.write(sentence)
        if wrong:
            raise CommandError("\n".join(wrong))
        self.stdout.write(f"{len(bucket.rules())} rules are set, and nothing else is wrong.")
