"""`manage.py who_opened --from ISO --to ISO`: every object that was opened, by whom, why, when."""

import json
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from privacy import audit
from privacy.models import AuditEvent


def moment(text: str) -> datetime:
    """A time in ISO 8601; without an offset it is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no time in ISO 8601.") from error
    return read if read.tzinfo else timezone.make_aware(read)


class Command(BaseCommand):
    """The answer to "what could have been seen?" after a role was stolen."""

    help = "List exactly the objects that were opened in a time, with actor and reason."

    def add_arguments(self, parser: CommandParser) -> None:
        """A time, and a role."""
        parser.add_argument("--from", dest="start", type=moment, required=True)
        parser.add_argument("--to", dest="end", type=moment, required=True)
        roles = [actor.name.lower() for actor in AuditEvent.Actor]
        parser.add_argument("--role", choices=roles, help="Only what this role opened.")
        parser.add_argument("--json", action="store_true", help="One JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Query, print."""
        role = options["role"]
        actor = getattr(AuditEvent.Actor, role.upper()) if role else None
        rows = [
            {
                "at": event.at.isoformat(),
                "role": audit.Actor(event.actor).name.lower(),
                "reason": audit.Reason(event.reason).name.lower(),
                "what": audit.Verb(event.verb).name.lower(),
                "object": event.object_id and str(event.object_id),
                "subject": event.subject_id and str(event.subject_id),
            }
            for event in audit.opened(options["start"], options["end"], actor=actor)
        ]
        people = len({row["subject"] for row in rows})
        if options["json"]:
            self.stdout.write(json.dumps({"opened": rows, "people": people}))
            return
        for row in rows:
            self.stdout.write("  ".join(str(value) for value in row.values()))
        self.stdout.write(f"{len(rows)} opened, of {people} people.")
