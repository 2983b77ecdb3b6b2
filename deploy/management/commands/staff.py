"""`manage.py staff`: who is on staff, and as what. Run as the migrator.

People are named by their exact e-mail address or their id, and answered for by their id alone.
"""

import uuid
from getpass import getpass
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import Session, User
from deploy.staff.roles import DUTIES, Role

FACTORS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


class Command(BaseCommand):
    """add, remove, reset, list."""

    help = "Put somebody on staff in a role, take them off, forget a lost second factor, or list."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, with whom."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="put somebody into a role")
        add.add_argument("who", help="e-mail address or id")
        add.add_argument("role", choices=[str(role) for role in Role])
        add.add_argument(
            "--new", action="store_true", help="make the account; asks for its password"
        )
        remove = verbs.add_parser("remove", help="take somebody out of a role, or off staff")
        remove.add_argument("who", help="e-mail address or id")
        remove.add_argument("role", nargs="?", choices=[str(role) for role in Role])
        reset = verbs.add_parser("reset", help="forget a second factor that was lost")
        reset.add_argument("who", help="e-mail address or id")
        verbs.add_parser("list", help="everybody on staff, by id")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        """One of the four; a refusal is one sentence."""
        with transaction.atomic():
            getattr(self, f"_{verb}")(**options)

    def _add(self, *, who: str, role: str, new: bool, **_: Any) -> None:
        user = self._make(who) if new else self._find(who)
        group = Group.objects.filter(name=role).first()
        if group is None:
            raise CommandError("The roles are not there yet; run `manage.py migrate` first.")
        User.objects.filter(pk=user.pk).update(is_staff=True)
        user.groups.add(group)
        self.stdout.write(f"{user.pk} is {role} now: {DUTIES[Role(role)]}.")
        if not Authenticator.objects.filter(user=user).exists():
            self.stdout.write(
                "They have no second factor. Let them sign in to the admin at once: whoever does"
                " so first with this password sets it up."
            )

    def _remove(self, *, who: str, role: str | None, **_: Any) -> None:
        user = self._find(who)
        gone = user.groups.filter(name__in=[role] if role else [str(one) for one in Role])
        user.groups.remove(*gone)
        if not user.groups.exists():
            User.objects.filter(pk=user.pk).update(is_staff=False, is_superuser=False)
            self.stdout.write(f"{user.pk} is not on staff any more.")
        else:
            self.stdout.write(f"{user.pk} is not {role} any more.")
        self._sign_out(user)

    def _reset(self, *, who: str, **_: Any) -> None:
        user = self._find(who)
        if not user.is_staff:
            raise CommandError("They are not on staff; their factors are their own business.")
        count, _by_model = Authenticator.objects.filter(user=user).delete()
        self._sign_out(user)
        self.stdout.write(f"{user.pk} has no second factor any more ({count} forgotten).")

    def _list(self, **_: Any) -> None:
        staff = User.objects.filter(is_staff=True).prefetch_related("groups").order_by("pk")
        for user in staff:
            roles = sorted(group.name for group in user.groups.all())
            roles += ["superuser"] if user.is_superuser else []
            kinds = Authenticator.objects.filter(user=user).values_list("type", flat=True)
            factors = ", ".join(FACTORS[Authenticator.Type(kind)] for kind in sorted(kinds))
            said = f"{', '.join(roles) or 'no role'}; {factors or 'no second factor'}"
            self.stdout.write(f"{user.pk}  {said}")

    def _sign_out(self, user: User) -> None:
        Session.objects.filter(user_id=user.pk).delete()

    def _find(self, who: str) -> User:
        found = User.objects.filter(**_named(who)).first()
        if found is None:
            raise CommandError("There is no such account; `add --new` makes one.")
        return found

    def _make(self, email: str) -> User:
        if "@" not in email:
            raise CommandError("A new account needs an e-mail address.")
        if User.objects.filter(email=email.lower()).exists():
            raise CommandError("There is such an account already; leave out --new.")
        password = getpass("Password: ")
        try:
            validate_password(password, User(email=email))
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from None
        if getpass("Once more: ") != password:
            raise CommandError("These are two passwords.")
        return User.objects.create_user(email, password, is_adult=True)


def _named(who: str) -> dict[str, Any]:
    try:
        return {"pk": uuid.UUID(who)}
    except ValueError:
        return {"email": who.lower()}
