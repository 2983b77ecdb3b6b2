"""P-02: every personal field is in the copy that a person gets, in the erasure plan, in retention.

By introspection: a person has a row in every table that can hold one, takes their copy, and leaves.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, Permission

from accounts.models import Session, User
from accounts.sessions import BEGAN, SessionStore
from portraits import painting, reports
from portraits.models import Allowance, Event, Portrait, Report
from privacy import archive, chain, copies, erasure, export, inventory, leases, stages
from privacy.inventory import COPIED, TABLES, End
from privacy.models import (
    ErasureRecipient,
    ExportPart,
    LedgerLink,
    LegalOrder,
    Notice,
    SignInGrant,
)
from privacy.retention import Rule
from tests.figures import figure
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    set_with_photo,
    sizes,
    style,
    submitted,
)
from tests.privacy import desking


@pytest.fixture(autouse=True)
def web(born: Any) -> Callable[[str], None]:
    """Everything here begins as the web."""
    dress: Callable[[str], None] = born
    return dress


def fill(who: uuid.UUID, web: Callable[[str], None]) -> None:
    """Rows in every table, those of staff and of allauth too."""
    user = User.objects.get(pk=who)
    user.groups.add(Group.objects.get_or_create(name="readers")[0])
    user.user_permissions.add(Permission.objects.first())  # type: ignore[arg-type]
    address = EmailAddress.objects.create(user=user, email=user.email)
    EmailConfirmation.objects.create(email_address=address, key=uuid.uuid4().hex, sent=now())
    LogEntry.objects.create(user=user, object_id=str(who), object_repr=str(user), action_flag=2)
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "phone"})
    known = SocialAccount.objects.create(user=user, provider="apple", uid=uuid.uuid4().hex)
    SocialToken.objects.create(account=known, token="never", token_secret="never")
    SignInGrant.objects.create(
        subject_id=who, provider="apple", client="app", capsule=b"", body=b"", created_at=now()
    )
    session = SessionStore()
    session[SESSION_KEY] = str(who)
    session[HASH_SESSION_KEY] = "the hash that keeps it valid"
    session.save()
    Notice.objects.create(
        subject_id=who, sort="account", ends_at=now(), days_before=7, sent_at=now()
    )
    painted = style()
    submitted(who, painted)
    work = claimed(painted)
    assert painting.finish(work.held, sizes(who), now())
    portrait = Portrait.objects.get(owner_id=who)
    reports.receive(who, portrait.pk, Report.Reason.OTHER, now())
    set_with_photo(who)
    leases.open_work("item", uuid.uuid4(), who)
    Allowance.objects.get_or_create(owner_id=who, period="day", starts=now().date())
    Event.objects.create(type="job.ended", owner_id=who, object_id=uuid.uuid4(), created_at=now())
    desking.asked(desking.Kind.ABUSE, who)
    LegalOrder.objects.create(
        subject_id=who,
        known_to=who,
        reason="court",
        recipient_sha256=b"",
        first_id=uuid.uuid4(),
        telling="told",
        filed_at=now(),
        told_at=now(),
    )
    web("upkeep")
    chain.seal(now())
    web("web")


def a_receipt(who: uuid.UUID) -> None:
    """An erasure of a part of theirs, told to somebody outside."""
    row = apps.get_model("privacy.Erasure")._default_manager.create(
        id=uuid.uuid4(), subject_id=who, scope="photo", requested_at=now()
    )
    ErasureRecipient.objects.create(erasure=row, name="stub", next_at=now())


def held_by(who: uuid.UUID, table: inventory.Table) -> Any:
    """A person's rows, looked up without the export's own code."""
    rows = apps.get_model(table.model)._default_manager.all()
    if table.model == "privacy.ConsentEvidence":
        return rows.filter(consent__subject_id=who)
    if table.model == "privacy.LedgerLink":
        entries = apps.get_model("privacy.Consent")._default_manager.filter(subject_id=who)
        return rows.filter(entry_id__in=entries.values("pk"))
    return rows.filter(**{str(table.lookup): who})


def test_every_personal_field_is_in_the_copy_in_the_plan_and_in_retention(
    web: Callable[[str], None],
) -> None:
    who = consenting()
    fill(who, web)
    a_receipt(who)
    asked = export.request(who, now())
    web("intake")
    copies.prepare(ExportPart.Sort.PHOTO, now)
    web("keeper")
    copies.prepare(ExportPart.Sort.SIGNATURE, now)
    web("web")
    # What belongs to no account cannot be in anybody's copy: its id is the way to it.
    about = {t.model: t for t, _ in inventory.personal() if t.end is not End.BY_TERM}
    assert [name for name, table in about.items() if not held_by(who, table).exists()] == []
    taken = export.fetch(who, asked.pk, now())
    held = zipfile.ZipFile(io.BytesIO(b"".join(archive.stream(taken, now))))

    copied, planned, kept, fields = [], [], [], []
    for table, column in inventory.personal():
        name = f"{table.model}.{column.name}"
        if table.model not in about:
            continue
        fields.append(name)
        if column.sort not in COPIED:
            copied.append(name)  # a secret, left out on purpose and said so in README.txt
        elif table.opened:
            copied += [name] * any(
                entry.startswith(f"{table.opened}/") for entry in held.namelist()
            )
        else:
            rows = json.loads(held.read(f"data/{table.model.lower()}.json"))
            copied += [name] * bool(rows and all(column.name in row for row in rows))
        if table.end in (End.WITH_ACCOUNT, End.BY_ERASURE):
            planned += [name] * bool(table.owner)
        else:
            planned += [name] * (
                table.end is End.OUTLIVES and inventory.rule(column.kept) is not None
            )
        kept += [name] * ends(column.kept)
    missing = sorted(set(fields) - set(copied) & set(planned) & set(kept))
    complete = len(fields) - len(missing)
    figure(
        "P-02",
        value=f"{100 * complete / len(fields):.0f}",
        unit="%",
        n=len(fields),
        holds=not missing,
        conditions=f"fields of {len(about)} tables, by introspection, from a fetched archive",
    )
    assert missing == []
    assert len(fields) > 150


def ends(kept: inventory.Retention) -> bool:
    """By a fixed time, by the deadline of its kind, or with the work that it is for."""
    if isinstance(found := inventory.rule(kept), Rule):
        return found.cap > timedelta(0)
    return kept in (inventory.Lasting.DEADLINE, inventory.Lasting.WORK)


def test_a_session_is_copied_without_the_hash_that_keeps_it_valid() -> None:
    who = consenting()
    session = SessionStore()
    session[SESSION_KEY] = str(who)
    session[HASH_SESSION_KEY] = "the hash that keeps it valid"
    session.save()
    table = next(table for table in TABLES if table.model == "accounts.Session")
    (row,) = Session.objects.filter(user_id=who)
    began = row.created_at.isoformat()
    assert archive._row(table, row)["session_data"] == {SESSION_KEY: str(who), BEGAN: began}


def test_links_of_a_persons_own_entries_come_with_the_copy(web: Callable[[str], None]) -> None:
    who, other = consenting(), consenting()
    web("upkeep")
    chain.seal(now())
    own = {row.entry_id for row in archive._links(who)}
    assert own
    assert not own & {row.entry_id for row in archive._links(other)}
    assert LedgerLink.objects.filter(entry_id__in=own).count() >= len(own)


def test_after_an_erasure_nothing_of_the_plan_is_left_to_copy(web: Callable[[str], None]) -> None:
    who = consenting()
    fill(who, web)
    # Apple has nothing of theirs that waits to be revoked, or the erasure would go on.
    SignInGrant.objects.filter(subject_id=who).delete()
    erasure.request(who, now())

    web("upkeep")
    stages.work(now)
    left = [
        table.model
        for table in TABLES
        if table.end in (End.WITH_ACCOUNT, End.BY_ERASURE) and held_by(who, table).exists()
    ]
    assert left == []
