"""`manage.py legal_order`: file and approve as the web, seal as the keeper, see all of them."""

import getpass
import os
import uuid
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.staff import officers
from accounts.staff.officers import OfficerRefused
from privacy import legal
from privacy.errors import PrivacyError
from privacy.models import LegalOrder

# Who can do a part of it; the database's logins and the keys are parted in the same way.
ROLES: Final = {"file": "web", "approve": "web", "seal": "keeper"}


def public_key(name: str) -> bytes:
    """The recipient's public key, in hexadecimal, as open_package.py writes it."""
    try:
        return bytes.fromhex(Path(name).read_text("utf-8").strip())
    except (OSError, ValueError) as error:
        raise ArgumentTypeError(f"{name} holds no public key in hexadecimal.") from error


def day(text: str) -> datetime:
    """The beginning of a day, UTC."""
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no day, as 2026-11-29.") from error


class Command(BaseCommand):
    """Two officers agree to it, each with a password and a code; the keeper seals it once."""

    help = "Answer a legal order: two officers agree, the keeper seals, the person is told."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The four things that can be done."""
        doing = parser.add_subparsers(dest="doing", required=True)
        filing = doing.add_parser("file", help="As the web: the first officer asks for it.")
        filing.add_argument("--about", type=uuid.UUID, required=True, help="Id of the account.")
        filing.add_argument("--reason", choices=LegalOrder.Reason.values, required=True)
        filing.add_argument(
            *("--silent-until",),
            type=day,
            help="Only where the order itself forbids to tell the person: until which day.",
        )
        approving = doing.add_parser("approve", help="As the web: another officer agrees.")
        sealing = doing.add_parser("seal", help="As the keeper: make the package, once.")
        sealing.add_argument("--out", type=Path, required=True, help="A file that is not there.")
        doing.add_parser("list", help="As the web: every order, by ids.")
        for each in (approving, sealing):
            each.add_argument("--order", type=uuid.UUID, required=True)
        for each in (filing, approving):
            each.add_argument("--officer", required=True, help="E-mail address of whoever types.")
        for each in (filing, approving, sealing):
            each.add_argument("--key", type=public_key, required=True, help="The recipient's.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, in the role that may."""
        doing: str = options["doing"]
        needed = ROLES.get(doing)
        if needed and str(settings.ROLE) != needed:
            raise CommandError(f"Run this with the environment of the role {needed}.")
        try:
            getattr(self, f"_{doing}")(options)
        except (PrivacyError, OfficerRefused) as error:
            raise CommandError(str(error)) from error

    def _officer(self, options: dict[str, Any]) -> uuid.UUID:
        password = getpass.getpass("Password: ")
        code = getpass.getpass("Code of your authenticator: ")
        return officers.prove(options["officer"], password, code, legal.PERMISSION)

    def _file(self, options: dict[str, Any]) -> None:
        order = legal.file_order(
            options["about"],
            LegalOrder.Reason(options["reason"]),
            options["key"],
            self._officer(options),
            timezone.now(),
            silent_until=options["silent_until"],
        )
        self.stdout.write(f"Filed: {order.pk}. Another officer has to approve it within 7 days.")

    def _approve(self, options: dict[str, Any]) -> None:
        officer_id = self._officer(options)
        legal.approve(options["order"], options["key"], officer_id, timezone.now())
        self.stdout.write("Approved. The keeper can seal it, once, within 7 days.")

    def _seal(self, options: dict[str, Any]) -> None:
        out: Path = options["out"]

        def hand_out(package: bytes) -> None:
            """Into a file of its own that nobody else can read."""
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(out, flags, 0o600), "wb") as file:
                file.write(package)
                file.flush()
                os.fsync(file.fileno())

        try:
            legal.seal(options["order"], options["key"], timezone.now(), hand_out=hand_out)
        except OSError as error:
            raise CommandError(f"{out} cannot be written ({error.strerror}).") from error
        self.stdout.write(f"Sealed into {out}. Only the recipient can open it.")

    def _list(self, options: dict[str, Any]) -> None:
        for order in LegalOrder.objects.all():
            silent = f"silent until {order.silent_until:%Y-%m-%d}" if order.silent_until else ""
            said = (order.pk, order.state, order.reason, f"{order.filed_at:%Y-%m-%d}")
            by = (f"by {order.first_id}", f"and {order.second_id or 'nobody yet'}")
            self.stdout.write("  ".join(map(str, (*said, *by, f"person: {order.telling}", silent))))
