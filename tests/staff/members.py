"""Members of staff in this process: accounts in a role, and browsers that are signed in."""

import re
import time
import uuid
from datetime import timedelta
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.staff import session
from deploy.staff.roles import Role

PASSWORD = "a long and rare passphrase"
# Of a code; what is typed in its last seconds may arrive too late.
PERIOD, MARGIN = 30, 4


def member(*roles: Role, superuser: bool = False) -> User:
    """Somebody on staff, without a second factor."""
    user = User.objects.create(
        email=f"{uuid.uuid4().hex}@example.org",
        password=make_password(PASSWORD),
        is_staff=True,
        is_superuser=superuser,
    )
    user.groups.set(Group.objects.filter(name__in=map(str, roles)))
    return user


def browser(**more: Any) -> Client:
    """Nobody yet."""
    return Client(SERVER_NAME="localhost", **more)


def client(user: User, *, proved: timedelta | None = timedelta(0), **more: Any) -> Client:
    """Signed in by both factors, `proved` ago; by the password alone where it is None."""
    made = browser(**more)
    made.force_login(user)
    if proved is not None:
        words = made.session
        session.begin(words, timezone.now() - proved)
        words[session.SEEN] = timezone.now().timestamp()
        words.save()
        made.cookies["sessionid"] = str(words.session_key)
    return made


def code(secret: str) -> str:
    """What an authenticator app shows now, and for some seconds more."""
    left = PERIOD - time.time() % PERIOD
    if left < MARGIN:
        time.sleep(left)
    counter = int(time.time()) // PERIOD
    return str(format_hotp_value(hotp_value(secret.replace(" ", ""), counter)))


def field(page: Any, name: str) -> str:
    """The value of a hidden field."""
    text = page if isinstance(page, str) else page.content.decode()
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, text[:500]
    return found[1]


def shown(page: Any, name: str) -> str:
    """The text of an element, by its id."""
    text = page if isinstance(page, str) else page.content.decode()
    found = re.search(rf'(?s)id="{name}"[^>]*>(.*?)</(p|ul)>', text)
    assert found, text[:500]
    return found[1].strip()


def codes(page: Any) -> list[str]:
    """The recovery codes that a page shows."""
    return re.findall(r"<li>([0-9]+)</li>", shown(page, "codes"))


def enrolled(user: User) -> tuple[str, list[str]]:
    """The secret and the recovery codes of somebody who signs in for the first time."""
    http = browser()
    led = http.post("/admin/login/", {"email": user.email, "password": PASSWORD, "next": ""})
    secret = shown(http.get(led["Location"]), "secret")
    made = http.post("/admin/enrol/", {"code": code(secret)})
    assert made.status_code == 200
    # The code that was shown counts once, and the tests want to use it again at once.
    cache.clear()
    return secret, codes(made)
