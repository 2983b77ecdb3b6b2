"""Cases for the tests of the desk: of somebody with an account or without, taken or not."""

import email
import uuid
from datetime import datetime
from email.policy import default
from typing import Any

from accounts.models import User
from privacy.desk import cases, incoming
from privacy.models import Case
from tests.portraits.making import consenting, now, person

Kind = Case.Kind
WORDS = "Please help. Bitte hilf mir, Zoë."


def asked(kind: Case.Kind, who: uuid.UUID | None = None, *, proven: bool = True) -> Case:
    """What somebody signed in asks for; by default they have just confirmed who they are."""
    said = incoming.Asked(kind, "en", WORDS)
    return incoming.from_person(who or consenting(), said, now(), proven=proven)


def noted(
    kind: Case.Kind,
    who: str = "",
    contact: str = "",
    *,
    received: datetime | None = None,
    language: str = "de",
) -> Case:
    """What came by mail."""
    said = incoming.Asked(kind, language, WORDS, contact)
    at = received or now()
    return incoming.by_hand(said, who, "us_ca", at, officer(), now())


def fresh() -> str:
    """An address that no other test writes from."""
    return f"{uuid.uuid4().hex}@example.org"


def officer() -> uuid.UUID:
    """Somebody on staff, by id."""
    return person()


def taken(case: Case, by: uuid.UUID | None = None) -> uuid.UUID:
    """An officer has taken it; returns who."""
    me = by or officer()
    cases.take(case.pk, me, now())
    return me


def seen(case: Case) -> Case:
    """As it is now."""
    return Case.objects.get(pk=case.pk)


def whose(case: Case) -> uuid.UUID:
    """Of whose account it is."""
    assert case.subject_id is not None
    return case.subject_id


def address(who: uuid.UUID) -> str:
    return User.objects.get(pk=who).email


def letter(raw: bytes) -> tuple[str, str]:
    """(subject, body) of a mail."""
    message: Any = email.message_from_bytes(raw, policy=default)
    return str(message["Subject"]), message.get_content()
