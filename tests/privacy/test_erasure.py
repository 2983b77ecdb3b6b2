"""Erasure: unreadable at once, gone soon, and never said to be gone without a look."""

import base64
import hashlib
import json
import os
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from accounts.models import Session, User
from portraits import painting
from portraits.models import Portrait
from privacy import (
    consent,
    erasure,
    keys,
    leases,
    receipts,
    recipients,
    retention,
    stages,
    storage,
    sweeps,
    vault,
)
from privacy.audit import Reason
from privacy.errors import (
    BlobGone,
    ConsentMissing,
    KeyDestroyed,
    NotYetGone,
    OwnerErased,
    StorageDown,
)
from privacy.inventory import TABLES, End
from privacy.models import AuditEvent, Blob, Capsule, Consent, Erasure, Lease, OwnerKey, ReceiptKey
from privacy.plain import Plain
from privacy.retention import Kind
from tests.conftest import s3_client
from tests.portraits.making import (
    NAME,
    claimed,
    consenting,
    now,
    owner,
    person,
    sizes,
    style,
    submitted,
    written,
)
from tests.privacy.erasing import Crash, left, live_fully

STEPS = (
    (stages, "_delete_objects"),
    (recipients, "tell"),
    (stages, "_delete_rows"),
    (stages, "_prove"),
)


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def advance(born: Any, who: uuid.UUID) -> bool:
    """One attempt of upkeep at this person's erasure."""
    born("upkeep")
    mine = Erasure.objects.filter(subject_id=who)
    Lease.objects.filter(work_id__in=mine.values("pk")).update(held_until=None, ready_at=now())
    held = leases.claim(erasure.LEASE, among=mine.values_list("pk", flat=True))
    assert held is not None
    return stages.advance(held, now)


def proved(who: uuid.UUID) -> Erasure:
    found = Erasure.objects.get(subject_id=who)
    assert found.stage == Erasure.Stage.PROVED
    assert found.receipt is not None
    return found


def verify(receipt: dict[str, Any]) -> None:
    """As anybody can: the published key, the canonical statement."""
    public = bytes(ReceiptKey.objects.get(label=receipt["statement"]["key"]).public)
    statement = json.dumps(
        receipt["statement"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    Ed25519PublicKey.from_public_bytes(public).verify(
        base64.b64decode(receipt["signature"]), statement.encode()
    )


# --- The request --------------------------------------------------------------------------------


def test_a_second_request_returns_the_first() -> None:
    who = live_fully()
    first, second = erasure.request(who, now()), erasure.request(who, now())
    assert first.pk == second.pk
    assert Lease.objects.filter(work_id=first.pk).count() == 1


def test_it_is_effective_with_the_request(born: Any) -> None:
    who = live_fully()
    portrait = Portrait.objects.get(owner_id=who)
    reference = Blob.objects.get(owner_id=who, kind=Kind.REFERENCE)
    upload = written(Kind.UPLOAD, who, b"on its way")
    erasure.request(who, now())
    assert OwnerKey.objects.get(pk=who).wrapped is None
    with pytest.raises((BlobGone, KeyDestroyed)):
        vault.read(portrait.blob_id, now(), why=Reason.OWNER)
    with pytest.raises(KeyDestroyed):
        keys.owner_seed(who)
    born("gpu")
    for blob in (reference, upload):
        with pytest.raises(BlobGone):
            vault.read(blob.pk, now(), why=Reason.OWNER)
    assert not Capsule.objects.filter(blob__owner_id=who, blob__recipient=1).exists()
    assert not Session.objects.filter(user_id=who).exists()
    assert not User.objects.get(pk=who).is_active
    with pytest.raises(ConsentMissing):
        consent.require(who, now())


def test_a_request_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    who = live_fully()

    def crash(*_: Any, **__: Any) -> None:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(leases, "open_work", crash)
        with pytest.raises(Crash):
            erasure.request(who, now())
    assert keys.owner_seed(who)
    assert vault.read(Portrait.objects.get(owner_id=who).blob_id, now(), why=Reason.OWNER).reveal()
    assert consent.require(who, now())


def test_a_portrait_that_is_late_cannot_be_committed(born: Any) -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    born("gpu")
    work = claimed(painted)
    late = sizes(who)
    born("web")
    erasure.request(who, now())
    born("gpu")
    assert not painting.finish(work.held, late, now())
    with pytest.raises(OwnerErased):
        vault.draft(Kind.PORTRAIT, who, Plain(b"later still"), now())
    assert not Portrait.objects.filter(owner_id=who).exists()
    advance(born, who)
    proved(who)
    assert not painting.finish(work.held, late, now())


def test_erasing_is_no_withdrawal_that_the_person_has_to_give_first() -> None:
    who = live_fully()
    erasure.request(who, now())
    newest = Consent.objects.filter(subject_id=who).order_by("-at", "-pk")[0]
    assert (newest.verb, newest.act) == ("withdrawn", "erasure")


# --- The machine --------------------------------------------------------------------------------


def test_it_ends_with_a_proof_and_nothing_left(born: Any) -> None:
    who = live_fully()
    prefix = OwnerKey.objects.get(pk=who).prefix
    erasure.request(who, now())
    assert advance(born, who)
    found = proved(who)
    assert left(who) == []
    for kind in Kind:
        assert storage.names(f"{kind.name.lower()}/{prefix}/") == []
    assert found.counts == {"reference": 1, "portrait": 1, "rendition": 1}
    assert not Lease.objects.filter(work_id=found.pk).exists()


def test_every_table_about_a_person_has_a_way_to_find_their_rows() -> None:
    for table in TABLES:
        if table.end in (End.WITH_ACCOUNT, End.BY_ERASURE):
            assert table.owner, table.model


def test_what_outlives_names_nobody(born: Any) -> None:
    who = live_fully()
    email = User.objects.get(pk=who).email
    erasure.request(who, now())
    advance(born, who)
    kept = json.dumps(proved(who).receipt)
    for tell in (email, str(who), who.hex, NAME):
        assert tell not in kept
    assert {event.verb for event in AuditEvent.objects.filter(subject_id=who)} >= {
        AuditEvent.Verb.ERASURE_REQUESTED,
        AuditEvent.Verb.ERASURE_PROVED,
    }


def test_the_receipt_verifies_and_a_changed_byte_does_not(born: Any) -> None:
    who = live_fully()
    erasure.request(who, now())
    advance(born, who)
    receipt = proved(who).receipt
    assert receipt is not None
    verify(receipt)
    verify(json.loads(json.dumps(receipt)))
    changed = [
        {**receipt, "statement": {**receipt["statement"], name: "x"}}
        for name in receipt["statement"]
        if name != "key"
    ]
    signature = bytearray(base64.b64decode(receipt["signature"]))
    signature[10] ^= 1
    changed.append({**receipt, "signature": base64.b64encode(signature).decode()})
    for other in changed:
        with pytest.raises(InvalidSignature):
            verify(other)


def test_only_who_knows_the_account_can_tie_the_receipt_to_it(born: Any) -> None:
    who = live_fully()
    erasure.request(who, now())
    advance(born, who)
    receipt = proved(who).receipt
    assert receipt is not None
    subject = receipt["statement"]["subject"]
    salted = bytes.fromhex(subject["salt"]) + who.bytes
    assert hashlib.sha256(salted).hexdigest() == subject["sha256"]


@pytest.mark.parametrize(("room", "step"), STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_any_stage_is_made_good_by_the_next_attempt(
    born: Any, monkeypatch: pytest.MonkeyPatch, room: Any, step: str, moment: str
) -> None:
    who = live_fully()
    erasure.request(who, now())
    real = getattr(room, step)

    def crash(*arguments: Any) -> None:
        if moment == "after" and step != "_prove":
            real(*arguments)
        elif moment == "after":
            receipts.sign(arguments[0], now(), now())
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(room, step, crash)
        with pytest.raises(Crash):
            advance(born, who)
    assert Erasure.objects.get(subject_id=who).receipt is None
    assert advance(born, who)
    receipt = proved(who).receipt
    assert receipt is not None
    verify(receipt)
    assert receipt["statement"]["destroyed"] == {"reference": 1, "portrait": 1, "rendition": 1}
    assert left(who) == []
    proofs = AuditEvent.objects.filter(subject_id=who, verb=AuditEvent.Verb.ERASURE_PROVED)
    assert proofs.count() == 1


def test_a_bucket_that_is_down_delays_the_proof_and_nothing_else(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = live_fully()
    erasure.request(who, now())

    def down(*_: Any) -> Any:
        raise StorageDown

    with monkeypatch.context() as broken:
        broken.setattr(storage, "traces", down)
        with pytest.raises(StorageDown):
            advance(born, who)
    assert Erasure.objects.get(subject_id=who).stage == Erasure.Stage.SHREDDED
    assert advance(born, who)
    proved(who)


def test_it_is_not_proved_while_something_is_left(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = live_fully()
    erasure.request(who, now())
    real = stages._delete_rows

    def late(found: Erasure, moment: datetime) -> None:
        real(found, moment)
        OwnerKey.objects.create(owner_id=who, public=b"", prefix=uuid.uuid4().hex)

    with monkeypatch.context() as changed:
        changed.setattr(stages, "_delete_rows", late)
        with pytest.raises(NotYetGone, match=r"privacy\.OwnerKey"):
            advance(born, who)
    found = Erasure.objects.get(subject_id=who)
    assert (found.stage, found.receipt) == (Erasure.Stage.SHREDDED, None)
    assert advance(born, who)
    proved(who)
    assert left(who) == []


def test_it_is_not_proved_while_an_object_is_left(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = live_fully()
    prefix = OwnerKey.objects.get(pk=who).prefix
    name = f"portrait/{prefix}/{uuid.uuid4().hex}"
    other = vault.draft(Kind.CANARY, owner(), Plain(b"x"), now())
    erasure.request(who, now())
    real = stages._delete_rows

    def late(found: Erasure, moment: datetime) -> None:
        real(found, moment)
        s3_client().put_object(Bucket=os.environ["SITTER_S3_BUCKET"], Key=name, Body=other.enc)

    with monkeypatch.context() as changed:
        changed.setattr(stages, "_delete_rows", late)
        with pytest.raises(NotYetGone, match=prefix):
            advance(born, who)
    assert advance(born, who)
    proved(who)
    assert storage.names(f"portrait/{prefix}/") == []


def test_a_person_who_never_had_a_key_is_erased_too(born: Any) -> None:
    who = person()
    erasure.request(who, now())
    assert advance(born, who)
    assert proved(who).counts == {}
    assert left(who) == []


def test_a_proved_erasure_asked_for_again_is_the_same_one(born: Any) -> None:
    who = live_fully()
    first = erasure.request(who, now())
    advance(born, who)
    assert erasure.request(who, now()).pk == first.pk
    assert not Lease.objects.filter(work_id=first.pk).exists()


def test_the_prefix_is_forgotten_some_time_after_the_proof(born: Any) -> None:
    who = live_fully()
    erasure.request(who, now())
    advance(born, who)
    sweeps.reap_orphans(now())
    assert proved(who).prefix
    sweeps.reap_orphans(now() + retention.ORPHAN_GRACE + timedelta(minutes=1))
    assert proved(who).prefix == ""


def test_one_erasure_leaves_other_people_alone(born: Any) -> None:
    who, other = live_fully(), live_fully()
    before = sorted(left(other))
    erasure.request(who, now())
    advance(born, who)
    assert sorted(left(other)) == before
    born("web")
    assert vault.read(
        Portrait.objects.get(owner_id=other).blob_id, now(), why=Reason.OWNER
    ).reveal()
