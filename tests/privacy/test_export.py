"""Everything that is held on a person, as one package: whole, once, for a day, for them alone."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from privacy import (
    archive,
    consent,
    erasure,
    export,
    storage,
    vault,
)
from privacy.errors import (
    ExportEnded,
    ExportNotReady,
    ExportUnknown,
    ExportUsed,
    KeyDestroyed,
    StorageDown,
)
from privacy.inventory import TABLES
from privacy.models import (
    AuditEvent,
    Blob,
    Export,
    Lease,
)
from privacy.plain import Plain
from privacy.retention import Kind
from tests.portraits.making import NAME, consenting, now, person, written
from tests.privacy.exporting import PHOTO, PORTRAIT, events, fetched, prepared, sitter


@pytest.fixture(autouse=True)
def web(born: Any) -> Iterator[Callable[[str], None]]:
    """Everything here begins as the web, with no work waiting."""
    Lease.objects.all().delete()
    yield born
    Lease.objects.all().delete()


def test_it_holds_photos_portraits_releases_and_every_row(web: Any) -> None:
    who = sitter()
    photo = Blob.objects.get(owner_id=who, kind=Kind.REFERENCE)
    portrait = Blob.objects.get(owner_id=who, kind=Kind.PORTRAIT)
    smaller = Blob.objects.get(owner_id=who, kind=Kind.RENDITION)
    asked = prepared(export.request(who, now()), web)
    assert asked.state == Export.State.READY
    held = fetched(asked)
    assert held.testzip() is None
    assert held.read(f"photos/{photo.pk}.jpg") == PHOTO
    assert held.read(f"portraits/{portrait.pk}.jpg") == PORTRAIT
    assert held.read(f"portraits/smaller/{smaller.pk}.jpg") == PORTRAIT + b" smaller"
    entry = consent.history(who)[0]
    signed = json.loads(held.read(f"releases/{entry.pk}.json"))
    assert signed["evidence"]["typed_name"] == NAME
    assert signed["text"] == entry.document.text
    assert held.read(f"releases/texts/{entry.document_id}.txt").decode() == entry.document.text
    account = json.loads(held.read("data/accounts.user.json"))
    assert [row["email"] for row in account] == [User.objects.get(pk=who).email]
    contents = json.loads(held.read("contents.json"))
    assert {*contents["files"], "contents.json"} == set(held.namelist())
    assert contents["left_out"] == []
    assert b"everything that we hold" in held.read("README.txt")


def test_no_secret_of_the_account_leaves_with_it(web: Any) -> None:
    who = sitter()
    User.objects.filter(pk=who).update(password="argon2$not-to-be-seen")
    held = fetched(prepared(export.request(who, now()), web))
    every = b"".join(held.read(name) for name in held.namelist() if name.startswith("data/"))
    assert b"not-to-be-seen" not in every
    assert "password" not in json.loads(held.read("data/accounts.user.json"))[0]
    assert "wrapped" not in json.loads(held.read("data/privacy.ownerkey.json"))[0]


def test_who_opened_what_for_it_is_on_record(web: Any) -> None:
    who = sitter()
    fetched(prepared(export.request(who, now()), web))
    assert len(events(AuditEvent.Verb.EXPORT_REQUESTED, who)) == 1
    assert len(events(AuditEvent.Verb.EXPORT_FETCHED, who)) == 1
    (opened,) = events(AuditEvent.Verb.EVIDENCE_OPENED, who)
    assert (opened.actor, opened.reason) == (AuditEvent.Actor.KEEPER, AuditEvent.Reason.EXPORT)
    reads = events(AuditEvent.Verb.BLOB_READ, who)
    assert {event.reason for event in reads} == {AuditEvent.Reason.EXPORT}
    actors = sorted(event.actor for event in reads)
    # The intake opens the photo; the web opens two portraits and both parts.
    assert actors == [AuditEvent.Actor.WEB] * 4 + [AuditEvent.Actor.INTAKE]


def test_somebody_who_did_nothing_yet_gets_theirs_at_once() -> None:
    asked = export.request(person(), now())
    assert asked.state == Export.State.READY
    assert "data/accounts.user.json" in fetched(asked).namelist()


def test_asking_twice_is_asking_once_and_after_the_fetch_anew(web: Any) -> None:
    who = sitter()
    first = export.request(who, now())
    assert export.request(who, now()).pk == first.pk
    prepared(first, web)
    assert export.request(who, now()).pk == first.pk
    fetched(first)
    assert export.request(who, now()).pk != first.pk


def test_two_requests_at_once_begin_one() -> None:
    who = sitter()
    made: list[uuid.UUID] = []

    def ask() -> None:
        made.append(export.request(who, now()).pk)
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_it_cannot_be_fetched_before_it_is_ready_nor_twice(web: Any) -> None:
    who = sitter()
    asked = export.request(who, now())
    with pytest.raises(ExportNotReady):
        export.fetch(who, asked.pk, now())
    prepared(asked, web)
    fetched(asked)
    with pytest.raises(ExportUsed):
        export.fetch(who, asked.pk, now())


def test_a_bucket_that_is_away_does_not_cost_the_one_fetch(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = prepared(export.request(sitter(), now()), web)

    def away() -> bool:
        raise StorageDown

    with monkeypatch.context() as broken:
        broken.setattr(storage, "ready", away)
        with pytest.raises(StorageDown):
            export.fetch(asked.owner_id, asked.pk, now())
    assert fetched(asked).namelist()


def test_it_ends_after_a_day() -> None:
    who = consenting()
    asked = export.request(who, now())
    assert asked.expires_at - asked.requested_at == timedelta(hours=24)
    later = asked.expires_at
    with pytest.raises(ExportEnded):
        export.fetch(who, asked.pk, later)
    assert export.request(who, later).pk != asked.pk


def test_somebody_elses_does_not_exist() -> None:
    asked = export.request(consenting(), now())
    for owner_id, export_id in ((consenting(), asked.pk), (asked.owner_id, uuid.uuid4())):
        with pytest.raises(ExportUnknown):
            export.find(owner_id, export_id, now())


def test_an_erasure_in_mid_download_ends_it(web: Any) -> None:
    who = sitter()
    asked = prepared(export.request(who, now()), web)
    pieces = archive.stream(export.fetch(who, asked.pk, now()), now)
    begun = [next(pieces)]
    erasure.request(who, now())
    with pytest.raises(KeyDestroyed):
        begun.extend(pieces)
    assert PHOTO not in b"".join(begun)
    assert PORTRAIT not in b"".join(begun)


def test_a_download_that_was_never_finished_leaves_no_parts(web: Any) -> None:
    who = sitter()
    asked = prepared(export.request(who, now()), web)
    export.fetch(who, asked.pk, now())
    assert export.end_copies(now()) == 0
    assert export.end_copies(now() + export.FETCH_WITHIN + timedelta(minutes=1)) == 2
    assert not export.copies(asked.parts.all()).exclude(state=Blob.State.SHREDDED).exists()


def test_a_client_that_hangs_up_ends_the_parts_at_once(web: Any) -> None:
    who = sitter()
    asked = prepared(export.request(who, now()), web)
    pieces = archive.stream(export.fetch(who, asked.pk, now()), now)
    next(pieces)
    pieces.close()
    assert not export.copies(asked.parts.all()).exclude(state=Blob.State.SHREDDED).exists()


def test_one_thing_is_open_at_a_time_and_nothing_waits_in_memory(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = consenting()
    for _ in range(8):
        written(Kind.PORTRAIT, who, PORTRAIT + bytes(200_000))
    asked = prepared(export.request(who, now()), web)
    read, opened, sent, most = vault.read, [0], 0, 0

    def counting(*args: Any, **options: Any) -> Plain:
        plain = read(*args, **options)
        opened[0] += len(plain)
        return plain

    monkeypatch.setattr(vault, "read", counting)
    for piece in archive.stream(export.fetch(who, asked.pk, now()), now):
        sent += len(piece)
        most = max(most, opened[0] - sent)
    assert opened[0] > 8 * 200_000
    assert most < 200_100


def test_many_rows_are_written_piece_by_piece() -> None:
    who = person()
    AuditEvent.objects.bulk_create(
        [AuditEvent(verb=1, actor=1, subject_id=who) for _ in range(1200)]
    )
    table = next(table for table in TABLES if table.model == "privacy.AuditEvent")
    rows = archive._rows(table, who)
    assert rows is not None
    pieces = list(archive._json(table, rows))
    assert len(pieces) > 1
    assert len(json.loads(b"".join(pieces))) == 1200


@given(st.binary(max_size=200))
def test_no_name_says_what_its_file_holds(data: bytes) -> None:
    assert archive.ending(data) in {"jpg", "png", "webp", "json", "txt"}


def test_no_name_leads_out_of_the_folder(web: Any) -> None:
    who = consenting()
    # Whatever a photo, a name or a region says, names come from our own ids.
    User.objects.filter(pk=who).update(email=f"../../{uuid.uuid4().hex}@example.org")
    for data in (b"../../etc/passwd", b"/absolute", b"\\\\share\\x", b"{}", b"RIFF\0\0"):
        written(Kind.PORTRAIT, who, data)
        written(Kind.PROMPT, who, data)
    names = fetched(prepared(export.request(who, now()), web)).namelist()
    assert len(names) == len(set(names)) > 20
    for name in names:
        assert not name.startswith(("/", "\\"))
        assert ".." not in name.split("/")
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_./READMEtxt")
