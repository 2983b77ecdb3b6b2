"""A row of a person in any table of the inventory is found by the proof, and goes."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import RequestFactory

from accounts import limits
from accounts.models import User
from portraits import reports
from portraits.models import Event, Portrait, Report
from privacy import erasure, leases, stages
from privacy.desk import incoming
from privacy.inventory import TABLES
from privacy.models import Case, Erasure, Export, ExportPart, Notice, OwnerKey
from privacy.parts import Scope
from tests.portraits.making import now, owner, set_with_photo, text
from tests.privacy.erasing import advance, live_fully, proved


def count(action: str, **whose: Any) -> None:
    """As allauth's own limiter counts an attempt."""
    request = RequestFactory().post("/", HTTP_HOST="sitter.example")
    assert ratelimit.consume(request, app="allauth.account", action=action, **whose)


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def looked_up() -> set[str]:
    """Every table that the proof must look into."""
    return {table.model for table in TABLES if table.owner and table.end in stages.ENDED_HERE}


def in_every_table() -> uuid.UUID:
    """Somebody of whom every such table has a row."""
    who, moment = live_fully(), now()
    set_with_photo(who)
    text(who)
    user = User.objects.get(pk=who)
    user.groups.add(Group.objects.get_or_create(name="tests")[0])
    user.user_permissions.add(Permission.objects.all()[0])
    address = EmailAddress.objects.create(user=user, email=user.email)
    EmailConfirmation.objects.create(email_address=address, key=uuid.uuid4().hex)
    LogEntry.objects.create(user=user, action_flag=1, object_repr=f"user {who}")
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "phone"})
    known = SocialAccount.objects.create(user=user, provider="apple", uid=uuid.uuid4().hex)
    SocialToken.objects.create(account=known, token="never", token_secret="never")
    export = Export.objects.create(
        owner_id=who, requested_at=moment, expires_at=moment + timedelta(hours=24)
    )
    ExportPart.objects.create(export=export, sort="photo", source_id=uuid.uuid4())
    Notice.objects.create(
        subject_id=who, sort="account", ends_at=moment, days_before=7, sent_at=moment
    )
    leases.open_work("item", uuid.uuid4(), who)
    portrait = Portrait.objects.filter(owner_id=who).values_list("pk", flat=True)[0]
    reports.receive(who, portrait, Report.Reason.OTHER, moment)
    Event.objects.create(type="job.ended", owner_id=who, object_id=uuid.uuid4(), created_at=moment)
    asked = incoming.Asked(Case.Kind.ACCESS, "en", "everything, please")
    incoming.from_person(who, asked, moment, proven=True)
    count("reauthenticate", user=user)
    return who


def test_a_row_anywhere_is_found_by_name_and_goes(born: Any) -> None:
    who = in_every_table()
    prefix = OwnerKey.objects.get(pk=who).prefix
    unasked = Erasure(id=uuid.uuid4(), subject_id=who, scope=Scope.ACCOUNT, prefix=prefix)
    found = set(stages._left(unasked))
    assert looked_up() - found == set(), "Plant a row of these in `in_every_table`."
    assert "the limiter's counts" in found
    assert f"portrait/{prefix}/" in found
    begun = erasure.request(who, now())
    assert advance(born, begun)
    proved(begun)
    assert stages._left(unasked) == []


def test_what_the_limiter_counted_by_the_address_goes_too(born: Any, settings_of: Any) -> None:
    settings_of(ALLOWED_HOSTS=["sitter.example"])
    who = owner()
    email = User.objects.get(pk=who).email
    for action, key in (
        ("request_login_code", email),
        # As allauth's adapter counts a login that failed.
        ("login_failed", f"sitter.example:{email}"),
    ):
        count(action, key=key)
        assert limits.remembers(who, [email.upper()])
        limits.forget(who, [email])
        assert not limits.remembers(who, [email])
        count(action, key=key)
    begun = erasure.request(who, now())
    assert advance(born, begun)
    assert not limits.remembers(who, [email])
