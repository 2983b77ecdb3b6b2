"""The parts of an export: made by the roles that can open the sources, ended with them."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from privacy import (
    consent,
    copies,
    crypto,
    erasure,
    export,
    keys,
    leases,
    storage,
    vault,
)
from privacy.audit import Reason
from privacy.crypto import Context, Recipient
from privacy.errors import (
    BlobGone,
    OwnerErased,
    StorageDown,
)
from privacy.models import (
    Blob,
    Capsule,
    Consent,
    ConsentEvidence,
    Export,
    ExportPart,
    Lease,
)
from privacy.parts import Scope
from privacy.plain import Plain
from privacy.retention import Kind
from tests.portraits.making import consenting, lapse, now, set_with_photo, written
from tests.privacy.erasing import advance, proved
from tests.privacy.exporting import PHOTO, Sort, fetched, prepared, sitter


@pytest.fixture(autouse=True)
def web(born: Any) -> Iterator[Callable[[str], None]]:
    """Everything here begins as the web, with no work waiting."""
    Lease.objects.all().delete()
    yield born
    Lease.objects.all().delete()


def test_its_parts_are_sealed_to_the_owner_end_with_it_and_go_with_the_fetch(web: Any) -> None:
    asked = prepared(export.request(sitter(), now()), web)
    parts = export.copies(asked.parts.all())
    assert parts.count() == 2
    for blob in parts:
        assert blob.recipient == Recipient.OWNER
        assert blob.expires_at == asked.expires_at
    ids = list(parts.values_list("pk", flat=True))
    fetched(asked)
    assert not Capsule.objects.filter(pk__in=ids).exists()


def test_an_upload_that_is_being_checked_is_not_copied(web: Any) -> None:
    who = consenting()
    written(Kind.UPLOAD, who, b"not looked at yet")
    asked = prepared(export.request(who, now()), web)
    assert asked.parts.filter(sort=Sort.PHOTO).count() == 0


def test_a_photo_that_ends_before_the_fetch_is_left_out_and_its_copy_goes(web: Any) -> None:
    who = sitter()
    asked = prepared(export.request(who, now()), web)
    photo = Blob.objects.get(owner_id=who, kind=Kind.REFERENCE)
    copy = export.copies_of(Blob.objects.filter(pk=photo.pk)).get()
    assert export.end_copies(now()) == 0
    vault.destroy(Blob.objects.filter(pk=photo.pk))
    assert export.end_copies(now()) == 1
    assert not Capsule.objects.filter(pk=copy.pk).exists()
    contents = json.loads(fetched(asked).read("contents.json"))
    assert contents["left_out"] == [{"id": str(photo.pk), "folder": "photos", "because": "gone"}]


def test_a_photo_that_ends_before_it_is_copied_holds_nothing_up(web: Any) -> None:
    who = sitter()
    asked = export.request(who, now())
    vault.destroy(Blob.objects.filter(owner_id=who, kind=Kind.REFERENCE))
    assert prepared(asked, web).state == Export.State.READY


def test_an_erased_set_is_proved_gone_with_its_copies(web: Any) -> None:
    who = consenting()
    kept = set_with_photo(who, keep_hours=24)
    asked = prepared(export.request(who, now()), web)
    copied = asked.parts.get(sort=Sort.PHOTO)
    assert copied.blob_id is not None
    body = Blob.objects.get(pk=copied.blob_id)
    assert storage.exists(body.name)
    begun = erasure.request_part(who, Scope.SET, kept.pk, now())
    with pytest.raises(BlobGone):
        vault.read(body.pk, now(), why=Reason.OWNER)
    assert advance(web, begun)
    assert proved(begun).counts == {"reference": 1, "export": 1}
    assert not storage.exists(body.name)
    assert not ExportPart.objects.filter(pk=copied.pk).exists()


def test_a_withdrawal_takes_the_copies_of_photos_at_once(web: Any) -> None:
    who = consenting()
    set_with_photo(who)
    asked = prepared(export.request(who, now()), web)
    copy = export.copies(asked.parts.filter(sort=Sort.PHOTO)).get()
    consent.withdraw(who, "portrait-generation", "tests/1", now(), erase_portraits=False)
    assert not Capsule.objects.filter(pk=copy.pk).exists()
    held = fetched(asked)
    assert not [name for name in held.namelist() if name.startswith("photos/")]
    assert [name for name in held.namelist() if name.startswith("releases/texts/")]


def test_a_copy_that_comes_after_the_withdrawal_is_refused(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = sitter()
    asked = export.request(who, now())
    put = storage.put

    def withdrawn_meanwhile(name: str, sealed: Any) -> None:
        put(name, sealed)
        vault.destroy(Blob.objects.filter(owner_id=who, kind=Kind.REFERENCE))

    monkeypatch.setattr(storage, "put", withdrawn_meanwhile)
    web("intake")
    copies.prepare(Sort.PHOTO, now)
    assert asked.parts.get(sort=Sort.PHOTO).blob is None
    living = Blob.objects.filter(owner_id=who, kind=Kind.EXPORT)
    assert not living.exclude(state=Blob.State.SHREDDED).exists()


def test_erase_wins_over_a_part_that_comes_late(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    who = sitter()
    export.request(who, now())
    put = storage.put

    def erased_meanwhile(name: str, sealed: Any) -> None:
        put(name, sealed)
        web("web")
        erasure.request(who, now())
        web("intake")

    monkeypatch.setattr(storage, "put", erased_meanwhile)
    web("intake")
    copies.prepare(Sort.PHOTO, now)
    assert not Capsule.objects.filter(blob__owner_id=who, blob__kind=Kind.EXPORT).exists()
    assert not Lease.objects.filter(owner_id=who, kind__in=export.LEASES.values()).exists()
    web("web")
    with pytest.raises(OwnerErased):
        export.request(who, now())


def test_a_worker_that_dies_is_followed_by_another_that_goes_on(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = consenting()
    for _ in range(3):
        written(Kind.REFERENCE, who, PHOTO)
    asked = export.request(who, now())
    read, calls = vault.read, []

    def dying(*args: Any, **options: Any) -> Plain:
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit
        return read(*args, **options)

    web("intake")
    with monkeypatch.context() as dead:
        dead.setattr(vault, "read", dying)
        with pytest.raises(SystemExit):
            copies.prepare(Sort.PHOTO, now)
    assert asked.parts.exclude(blob=None).count() == 1
    row = Lease.objects.get(kind="export", work_id=asked.pk)
    lapse(leases.Claim("export", asked.pk, who, row.token, row.attempts))
    assert prepared(asked, web).state == Export.State.READY
    assert asked.parts.filter(blob=None).count() == 0
    assert Blob.objects.filter(owner_id=who, kind=Kind.EXPORT, state="stored").count() == 4


def test_a_bucket_that_is_away_delays_and_costs_no_attempt(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = export.request(sitter(), now())

    def away(name: str) -> bytes:
        raise StorageDown

    web("intake")
    with monkeypatch.context() as broken:
        broken.setattr(storage, "get", away)
        assert copies.prepare(Sort.PHOTO, now) == 1
    row = Lease.objects.get(kind="export", work_id=asked.pk)
    assert (row.attempts, row.held_until) == (0, None)


def test_a_worker_whose_lease_is_lost_commits_nothing_more(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = sitter()
    asked = export.request(who, now())
    web("intake")
    held = leases.claim("export")
    assert held is not None
    leases.revoke("export", [asked.pk])
    lost = threading.Event()
    copies._fill(held, Sort.PHOTO, now, lost)
    assert asked.parts.get(sort=Sort.PHOTO).blob is None
    lost.set()
    opened: list[Any] = []
    monkeypatch.setitem(copies.OPENERS, Sort.PHOTO, lambda *args: opened.append(args))
    copies._fill(held, Sort.PHOTO, now, lost)
    assert opened == []
    asked.refresh_from_db()
    assert asked.state == Export.State.REQUESTED


def test_a_part_is_committed_once(web: Any) -> None:
    who = sitter()
    asked = export.request(who, now())
    web("intake")
    held = leases.claim("export")
    assert held is not None
    part = asked.parts.get(sort=Sort.PHOTO)
    copies._put(held, asked, part, Plain(PHOTO), now())
    copies._put(held, asked, part, Plain(PHOTO), now())
    living = Blob.objects.filter(owner_id=who, kind=Kind.EXPORT)
    assert living.exclude(state=Blob.State.SHREDDED).count() == 1


def test_work_on_an_export_whose_time_is_over_ends(web: Any) -> None:
    asked = export.request(sitter(), now())
    web("intake")
    assert copies.prepare(Sort.PHOTO, lambda: now() + timedelta(days=2)) == 1
    assert not Lease.objects.filter(kind="export", work_id=asked.pk).exists()
    assert asked.parts.exclude(blob=None).count() == 0


def test_a_signature_from_before_releases_were_composed_is_copied_too(web: Any) -> None:
    who = consenting()
    document = consent.history(who)[0].document
    label, public = keys.evidence_public(now().date())
    entry = Consent.objects.create(
        subject_id=who, document=document, verb="granted", act="typed-name", client="t/1", at=now()
    )
    place = Context(consent.EVIDENCE_KIND, Recipient.EVIDENCE, who, entry.pk)
    sealed = crypto.seal(Plain(b"Ada"), public, place)
    ConsentEvidence.objects.create(
        consent=entry,
        key_label=label,
        enc=sealed.capsule,
        body=bytes(sealed.body),
        expires_at=now() + timedelta(days=5),
    )
    held = fetched(prepared(export.request(who, now()), web))
    signed = json.loads(held.read(f"releases/{entry.pk}.json"))
    assert signed["evidence"] == {"typed_name": "Ada"}


def test_a_signature_past_its_term_is_left_out(web: Any) -> None:
    who = consenting()
    asked = export.request(who, now())
    entry = consent.history(who)[0]
    entry.consentevidence.delete()
    contents = json.loads(fetched(prepared(asked, web)).read("contents.json"))
    assert [row["folder"] for row in contents["left_out"]] == ["releases"]


def test_who_holds_the_work_no_more_ends_nothing(web: Any) -> None:
    asked = export.request(sitter(), now())
    web("intake")
    held = leases.claim("export")
    assert held is not None
    assert leases.close(held)
    copies._finish(held, asked, now(), given_up=True)
    asked.refresh_from_db()
    assert asked.state == Export.State.REQUESTED
