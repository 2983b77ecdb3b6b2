"""The vault: who can write, who can read, until when, and what becomes of it afterwards."""

import itertools
import os
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import override_settings

from privacy import retention, storage, sweeps, vault
from privacy.audit import Reason
from privacy.errors import (
    BlobGone,
    DeadlineRefused,
    KeyNotHeld,
    NotReady,
    OwnerErased,
    SealBroken,
    StorageDown,
)
from privacy.models import AuditEvent, Blob, Capsule, OwnerKey
from privacy.plain import Plain
from privacy.retention import Kind
from tests.conftest import s3_client
from tests.figures import figure
from tests.portraits.making import now, owner, written

BUCKET = os.environ["SITTER_S3_BUCKET"]
BODY = b"a face that nobody else may see" * 40


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def objects(prefix: str) -> list[str]:
    listed = s3_client().list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [entry["Key"] for entry in listed]


def replace(blob: Blob, body: bytes) -> None:
    s3_client().put_object(Bucket=BUCKET, Key=blob.name, Body=body)


def body_of(blob: Blob) -> bytes:
    stream = s3_client().get_object(Bucket=BUCKET, Key=blob.name)["Body"]
    with stream:
        return bytes(stream.read())


# --- Round trips and compartments ---------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.UPLOAD, Kind.REFERENCE])
@pytest.mark.parametrize("reader", ["intake", "gpu"])
def test_a_worker_reads_what_the_web_sealed(born: Any, kind: Kind, reader: str) -> None:
    blob = written(kind, owner(), BODY)
    born(reader)
    assert vault.read(blob.pk, now(), why=Reason.OWNER).reveal() == BODY


@pytest.mark.parametrize("writer", ["gpu", "web"])
def test_the_web_reads_a_portrait_that_a_worker_sealed(born: Any, writer: str) -> None:
    who = owner()
    born(writer)
    blob = written(Kind.PORTRAIT, who, BODY)
    born("web")
    assert vault.read(blob.pk, now(), why=Reason.OWNER).reveal() == BODY


def test_the_keeper_can_open_a_portrait(born: Any) -> None:
    blob = written(Kind.PORTRAIT, owner(), BODY)
    born("keeper")
    assert vault.read(blob.pk, now(), why=Reason.OWNER).reveal() == BODY


@pytest.mark.parametrize("kind", [Kind.UPLOAD, Kind.REFERENCE])
@pytest.mark.parametrize("reader", ["web", "keeper", "upkeep", "beat"])
def test_nobody_but_the_workers_reads_a_reference(born: Any, kind: Kind, reader: str) -> None:
    blob = written(kind, owner(), BODY)
    born(reader)
    with pytest.raises(KeyNotHeld):
        vault.read(blob.pk, now(), why=Reason.OWNER)


@pytest.mark.parametrize("reader", ["intake", "gpu", "upkeep", "beat"])
def test_no_worker_reads_a_portrait(born: Any, reader: str) -> None:
    blob = written(Kind.PORTRAIT, owner(), BODY)
    born(reader)
    with pytest.raises(KeyNotHeld):
        vault.read(blob.pk, now(), why=Reason.OWNER)


def test_upkeep_destroys_what_it_cannot_read(born: Any) -> None:
    who = owner()
    made = [written(kind, who, BODY) for kind in (Kind.REFERENCE, Kind.PORTRAIT)]
    born("upkeep")
    assert vault.destroy(Blob.objects.filter(owner_id=who)) == 2
    for blob, reader in zip(made, ("gpu", "web"), strict=True):
        born(reader)
        with pytest.raises(BlobGone):
            vault.read(blob.pk, now(), why=Reason.OWNER)


def test_reading_is_noted_and_names_the_role(born: Any) -> None:
    blob = written(Kind.REFERENCE, owner(), BODY)
    born("gpu")
    vault.read(blob.pk, now(), why=Reason.OWNER)
    noted = AuditEvent.objects.get(object_id=blob.pk, verb=AuditEvent.Verb.BLOB_READ)
    assert (noted.subject_id, noted.actor) == (blob.owner_id, AuditEvent.Actor.GPU)


# --- Drafts -------------------------------------------------------------------------------------


def test_a_draft_is_unreadable_until_it_is_committed(born: Any) -> None:
    draft = vault.draft(Kind.REFERENCE, owner(), Plain(BODY), now())
    born("gpu")
    with pytest.raises(BlobGone):
        vault.read(draft.blob_id, now(), why=Reason.OWNER)
    assert vault.commit([draft])
    assert vault.read(draft.blob_id, now(), why=Reason.OWNER).reveal() == BODY


def test_a_draft_that_was_destroyed_cannot_be_committed() -> None:
    draft = vault.draft(Kind.REFERENCE, owner(), Plain(BODY), now())
    vault.destroy(Blob.objects.filter(pk=draft.blob_id))
    assert not vault.commit([draft])
    assert not Capsule.objects.filter(blob_id=draft.blob_id).exists()


def test_drafts_are_committed_all_or_none() -> None:
    who = owner()
    drafts = [vault.draft(Kind.PORTRAIT, who, Plain(BODY), now()) for _ in range(2)]
    vault.destroy(Blob.objects.filter(pk=drafts[1].blob_id))
    with transaction.atomic():
        assert not vault.commit(drafts)
        transaction.set_rollback(True)
    with pytest.raises(BlobGone):
        vault.read(drafts[0].blob_id, now(), why=Reason.OWNER)


def test_a_draft_is_committed_once() -> None:
    draft = vault.draft(Kind.PORTRAIT, owner(), Plain(BODY), now())
    assert vault.commit([draft])
    assert not vault.commit([draft])


def test_a_discarded_draft_leaves_no_object() -> None:
    draft = vault.draft(Kind.PORTRAIT, owner(), Plain(BODY), now())
    assert objects(draft.name)
    vault.discard([draft])
    assert not objects(draft.name)


def test_discarding_never_touches_what_was_committed_after_all() -> None:
    draft = vault.draft(Kind.PORTRAIT, owner(), Plain(BODY), now())
    assert vault.commit([draft])
    vault.discard([draft])
    assert vault.read(draft.blob_id, now(), why=Reason.OWNER).reveal() == BODY


def test_nothing_is_written_for_somebody_without_a_key() -> None:
    before = Blob.objects.count()
    for kind in (Kind.REFERENCE, Kind.PORTRAIT):
        with pytest.raises(OwnerErased):
            vault.draft(kind, uuid.uuid4(), Plain(BODY), now())
    assert Blob.objects.count() == before


def test_a_day_without_a_fleet_key_is_said_to_be_not_ready() -> None:
    with pytest.raises(NotReady):
        vault.draft(Kind.UPLOAD, owner(), Plain(BODY), now() + timedelta(days=40))


def test_the_row_and_its_deadline_exist_before_the_body_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Blob] = []

    def put(name: str, sealed: Any) -> None:
        assert not connection.in_atomic_block
        seen.append(Blob.objects.get(name=name))
        raise StorageDown

    who = owner()
    monkeypatch.setattr(storage, "put", put)
    with pytest.raises(StorageDown):
        vault.draft(Kind.UPLOAD, who, Plain(BODY), now())
    assert seen[0].expires_at > now()
    assert seen[0].state == Blob.State.REGISTERED


# --- Damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:-1],
        lambda body: body[: len(body) // 2],
        lambda body: b"",
        lambda body: body + b"x",
        lambda body: body[:40] + bytes([body[40] ^ 1]) + body[41:],
    ],
    ids=["one byte less", "half", "empty", "one byte more", "one bit"],
)
def test_a_damaged_body_is_refused(damage: Any) -> None:
    blob = written(Kind.PORTRAIT, owner(), BODY)
    replace(blob, damage(body_of(blob)))
    with pytest.raises(SealBroken):
        vault.read(blob.pk, now(), why=Reason.OWNER)


def test_a_body_that_is_lost_is_said_to_be_gone() -> None:
    blob = written(Kind.PORTRAIT, owner(), BODY)
    storage.delete([blob.name])
    with pytest.raises(BlobGone):
        vault.read(blob.pk, now(), why=Reason.OWNER)


def test_swapped_bodies_and_capsules_open_nowhere(born: Any) -> None:
    """C-03: every ordered pair of twenty blobs: five owners, two kinds, two of each."""
    who = [owner() for _ in range(5)]
    kinds = (Kind.PORTRAIT, Kind.RENDITION) * 2
    made = [written(kind, one, BODY) for one in who for kind in kinds]
    kept = {blob.pk: (body_of(blob), bytes(blob.capsule.enc)) for blob in made}
    opened = 0
    for target, source in itertools.permutations(made, 2):
        body, enc = kept[source.pk]
        replace(target, body)
        Capsule.objects.filter(blob=target).update(enc=enc)
        # Whoever can write the table can make the checksum fit, so it must not be the only wall.
        Blob.objects.filter(pk=target.pk).update(length=source.length, sha256=source.sha256)
        try:
            vault.read(target.pk, now(), why=Reason.OWNER)
            opened += 1
        except SealBroken:
            pass
    pairs = len(made) * (len(made) - 1)
    figure(
        "C-03",
        value=opened,
        n=pairs,
        holds=opened == 0,
        conditions="every ordered pair of 20 blobs of 5 owners and 2 kinds through the vault, the"
        " checksum made to fit",
    )
    assert opened == 0


def test_a_body_that_fits_its_checksum_but_not_its_capsule_is_refused() -> None:
    who = owner()
    first, second = written(Kind.PORTRAIT, who, BODY), written(Kind.PORTRAIT, who, BODY)
    Capsule.objects.filter(blob=first).update(enc=bytes(second.capsule.enc))
    with pytest.raises(SealBroken):
        vault.read(first.pk, now(), why=Reason.OWNER)


# --- Ends ---------------------------------------------------------------------------------------


def test_what_was_destroyed_is_gone_at_once_and_its_body_soon() -> None:
    blob = written(Kind.PORTRAIT, owner(), BODY)
    vault.destroy(Blob.objects.filter(pk=blob.pk))
    with pytest.raises(BlobGone):
        vault.read(blob.pk, now(), why=Reason.OWNER)
    assert not Capsule.objects.filter(blob_id=blob.pk).exists()
    sweeps.reap()
    assert not objects(blob.name)
    assert not Blob.objects.filter(pk=blob.pk).exists()


def test_destroying_twice_counts_once() -> None:
    blob = written(Kind.PORTRAIT, owner(), BODY)
    mine = Blob.objects.filter(pk=blob.pk)
    assert [vault.destroy(mine), vault.destroy(mine)] == [1, 0]


@pytest.mark.parametrize("kind", [Kind.UPLOAD, Kind.REFERENCE, Kind.PORTRAIT])
def test_nothing_is_read_from_its_deadline_on(born: Any, kind: Kind) -> None:
    at = now()
    blob = written(kind, owner(), BODY, at)
    born("web" if kind is Kind.PORTRAIT else "gpu")
    end = at + retention.DEADLINES[kind].default
    assert vault.read(blob.pk, end - timedelta(milliseconds=1), why=Reason.OWNER).reveal() == BODY
    with pytest.raises(BlobGone):
        vault.read(blob.pk, end, why=Reason.OWNER)


def test_a_wish_cannot_outlast_the_cap() -> None:
    at, who = now(), owner()
    for kind, rule in retention.DEADLINES.items():
        draft = vault.draft(kind, who, Plain(b"x"), at, expires_at=at + timedelta(days=4000))
        assert Blob.objects.get(pk=draft.blob_id).expires_at == at + rule.cap


def test_nothing_is_written_that_would_have_ended_already() -> None:
    at, who = now(), owner()
    with pytest.raises(BlobGone):
        vault.draft(Kind.REFERENCE, who, Plain(BODY), at, expires_at=at)
    assert not Blob.objects.filter(owner_id=who).exists()


def test_a_portrait_can_be_kept_longer_up_to_the_cap_and_shorter() -> None:
    at = now()
    blob = written(Kind.PORTRAIT, owner(), BODY, at)
    mine = Blob.objects.filter(pk=blob.pk)
    for end in (at + timedelta(days=365), at + timedelta(hours=1), at + timedelta(days=40)):
        vault.move_deadline(mine, end, at)
        assert mine.get().expires_at == end


@pytest.mark.parametrize("end", [timedelta(days=365, seconds=1), timedelta(0), timedelta(days=-1)])
def test_a_portrait_is_never_kept_past_the_cap_nor_ended_in_the_past(end: timedelta) -> None:
    at = now()
    blob = written(Kind.PORTRAIT, owner(), BODY, at)
    with pytest.raises(DeadlineRefused):
        vault.move_deadline(Blob.objects.filter(pk=blob.pk), at + end, at)
    assert Blob.objects.get(pk=blob.pk).expires_at == blob.expires_at


def test_the_cap_counts_from_when_it_was_painted() -> None:
    at = now()
    blob = written(Kind.PORTRAIT, owner(), BODY, at)
    mine, later = Blob.objects.filter(pk=blob.pk), at + timedelta(days=20)
    with pytest.raises(DeadlineRefused):
        vault.move_deadline(mine, later + timedelta(days=365), later)


@pytest.mark.parametrize("kind", [Kind.UPLOAD, Kind.REFERENCE])
def test_a_reference_can_only_end_earlier(kind: Kind) -> None:
    at = now()
    draft = vault.draft(kind, owner(), Plain(BODY), at, expires_at=at + timedelta(minutes=5))
    assert vault.commit([draft])
    mine = Blob.objects.filter(pk=draft.blob_id)
    vault.move_deadline(mine, at + timedelta(minutes=3), at)
    with pytest.raises(DeadlineRefused):
        vault.move_deadline(mine, at + timedelta(minutes=4), at)
    assert mine.get().expires_at == at + timedelta(minutes=3)


def test_what_has_ended_cannot_be_kept_longer() -> None:
    at = now()
    blob = written(Kind.PORTRAIT, owner(), BODY, at)
    with pytest.raises(BlobGone):
        vault.move_deadline(
            Blob.objects.filter(pk=blob.pk), at + timedelta(days=60), at + timedelta(days=31)
        )


# --- The bucket ---------------------------------------------------------------------------------


def test_a_name_tells_nothing_about_its_owner() -> None:
    who = owner()
    blob = written(Kind.PORTRAIT, who, BODY)
    for tell in (who.hex, str(who), blob.pk.hex, str(blob.pk)):
        assert tell not in blob.name
    kind, prefix, tail = blob.name.split("/")
    assert kind == "portrait"
    assert prefix == OwnerKey.objects.get(pk=who).prefix
    assert len(tail) == 32


def test_the_bucket_holds_no_clear_byte() -> None:
    blob = written(Kind.REFERENCE, owner(), BODY)
    assert BODY[:16] not in body_of(blob)


def test_only_sealed_bodies_reach_the_bucket() -> None:
    with pytest.raises(TypeError):
        storage.put("portrait/x/y", BODY)  # type: ignore[arg-type]


def test_a_bucket_that_does_not_answer_is_said_so() -> None:
    who = owner()
    blob = written(Kind.PORTRAIT, who, BODY)
    sealed = settings.STORAGES["sealed"]
    away = {**sealed, "OPTIONS": {**sealed["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}}
    with override_settings(STORAGES={**settings.STORAGES, "sealed": away}):
        for act in (
            lambda: vault.draft(Kind.UPLOAD, who, Plain(BODY), now()),
            lambda: vault.read(blob.pk, now(), why=Reason.OWNER),
            lambda: storage.delete([blob.name]),
        ):
            with pytest.raises(StorageDown):
                act()
    assert vault.read(blob.pk, now(), why=Reason.OWNER).reveal() == BODY


# --- Sweeps -------------------------------------------------------------------------------------


def test_what_has_reached_its_deadline_is_swept(born: Any) -> None:
    at = now()
    short, long = written(Kind.UPLOAD, owner(), BODY, at), written(Kind.PORTRAIT, owner(), BODY, at)
    born("upkeep")
    later = at + timedelta(minutes=10)
    missed = later + retention.BLOB_GRACE
    assert sweeps.backlog(missed)["past_deadline"] >= 1
    assert sweeps.expire(later) >= 1
    assert sweeps.backlog(missed)["past_deadline"] == 0
    assert not Blob.objects.filter(pk=short.pk).exists()
    assert not objects(short.name)
    assert objects(long.name)
    born("web")
    assert vault.read(long.pk, at, why=Reason.OWNER).reveal() == BODY


def test_a_sweep_is_noted_without_naming_anybody(born: Any) -> None:
    at, who = now(), owner()
    written(Kind.UPLOAD, who, BODY, at)
    born("upkeep")
    sweeps.expire(at + timedelta(minutes=10))
    assert not AuditEvent.objects.filter(
        subject_id=who, verb=AuditEvent.Verb.BLOBS_EXPIRED
    ).exists()
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.BLOBS_EXPIRED).exists()


def test_a_bucket_that_is_down_only_delays_the_reaping(monkeypatch: pytest.MonkeyPatch) -> None:
    blob = written(Kind.PORTRAIT, owner(), BODY)
    vault.destroy(Blob.objects.filter(pk=blob.pk))

    def down(names: Any) -> None:
        raise StorageDown

    with monkeypatch.context() as broken:
        broken.setattr(storage, "delete", down)
        with pytest.raises(StorageDown):
            sweeps.reap()
    assert Blob.objects.filter(pk=blob.pk).exists()
    sweeps.reap()
    assert not Blob.objects.filter(pk=blob.pk).exists()
    assert not objects(blob.name)


def test_an_object_without_a_row_goes_once_it_is_old() -> None:
    lost, kept = owner(), owner()
    orphan, living = written(Kind.PORTRAIT, lost, BODY), written(Kind.PORTRAIT, kept, BODY)
    Capsule.objects.filter(blob=orphan).delete()
    Blob.objects.filter(pk=orphan.pk).delete()
    sweeps.reap_orphans(now())
    assert objects(orphan.name)
    sweeps.reap_orphans(now() + retention.ORPHAN_GRACE + timedelta(minutes=1))
    assert not objects(orphan.name)
    assert objects(living.name)
    assert vault.read(living.pk, now(), why=Reason.OWNER).reveal() == BODY


def test_a_draft_that_nobody_commits_is_shredded_once_it_is_old() -> None:
    at = now()
    draft = vault.draft(Kind.PORTRAIT, owner(), Plain(BODY), at)
    sweeps.reap_orphans(at + retention.ORPHAN_GRACE)
    assert Blob.objects.filter(pk=draft.blob_id).exists()
    sweeps.reap_orphans(at + retention.ORPHAN_GRACE + timedelta(seconds=1))
    assert not Blob.objects.filter(pk=draft.blob_id).exists()
    assert not objects(draft.name)
    assert not vault.commit([draft])


def test_names_do_not_repeat() -> None:
    who = owner()
    names = {written(Kind.CANARY, who, os.urandom(8)).name for _ in range(10)}
    assert len(names) == 10


def test_what_fails_between_two_pieces_leaves_none_of_them(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = owner()
    put, names = storage.put, []

    def second_fails(name: str, sealed: Any) -> None:
        names.append(name)
        if len(names) == 2:
            raise StorageDown
        put(name, sealed)

    monkeypatch.setattr(storage, "put", second_fails)
    pieces = [(Kind.PORTRAIT, Plain(b"full")), (Kind.RENDITION, Plain(b"thumb"))]
    with pytest.raises(StorageDown):
        vault.draft_all(who, pieces, now())
    assert not Blob.objects.filter(name=names[0]).exclude(state=Blob.State.SHREDDED).exists()
