"""The replay: what people ended since the backup ends again, before anybody is served.

A replay is killed at every so many of its steps, another part of them in each run; with
SITTER_KILL_STRIDE=1 at every one, which takes minutes.
"""

import io
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from accounts.models import Session
from deploy import gate as gates
from portraits import gallery
from portraits.models import Item, Job
from privacy import audit, consent, erasure, ledgerstore, replay, restore, stages
from privacy.errors import (
    KeysUnavailable,
    NotReady,
    OwnerErased,
    RestorePending,
    StorageDown,
)
from privacy.models import (
    AuditEvent,
    Blob,
    Consent,
    Erasure,
    Export,
    ExportPart,
    Lease,
    OwnerKey,
    Pulse,
)
from privacy.restore import CONFIRMED, INTENTS, Intent
from privacy.retention import Kind
from tests.conftest import s3_client
from tests.portraits.making import (
    consenting,
    now,
    owner,
    person,
    set_with_photo,
    sign,
    style,
    submitted,
    written,
)
from tests.privacy.reaper import Reaper
from tests.privacy.restoring import (
    NOWHERE,
    confirmed,
    forget_the_ledger,
    ledger_at,
    painted,
    set_back,
    undecided,
)
from tests.privacy.test_api import caller
from workers import roles

GENERATION = consent.Purpose.GENERATION
MINUTE = timedelta(minutes=1)
STRIDE = int(os.environ.get("SITTER_KILL_STRIDE", "40"))


@pytest.fixture(autouse=True)
def upkeep(born: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Everything is set up as the web does, beside an empty ledger; `upkeep()` is who replays."""
    monkeypatch.setattr(gates.gate, "seen", None)
    forget_the_ledger()
    yield lambda: born("upkeep")
    forget_the_ledger()


def replayed(upkeep: Any) -> Any:
    """Upkeep notices that the database was set back, and does what it must."""
    upkeep()
    set_back()
    done = replay.run(now(), now)
    assert done is not None
    assert not restore.pending()
    return done


# --- What it carries out ------------------------------------------------------------------------


def test_nothing_is_replayed_where_nothing_was_restored(upkeep: Any) -> None:
    upkeep()
    assert replay.run(now(), now) is None


def test_an_account_is_erased_again_to_the_same_receipt(upkeep: Any) -> None:
    portrait, at = painted(), now() - MINUTE
    entry = confirmed(Intent.ERASE, portrait.owner_id, at, scope="account")
    assert replayed(upkeep)["erase"] == 1
    again = Erasure.objects.get(pk=entry.id)
    assert (again.stage, again.requested_at) == (Erasure.Stage.PROVED, at)
    assert again.receipt is not None
    assert again.receipt["statement"]["destroyed"]["portrait"] == 1
    assert not OwnerKey.objects.filter(pk=portrait.owner_id, destroyed_at=None).exists()
    assert not Blob.objects.filter(owner_id=portrait.owner_id).exists()
    answer = caller().get(f"/v1/erasures/{entry.id}").json()
    assert answer["stage"] == "proved"


def test_an_undecided_erasure_is_carried_out_too(upkeep: Any) -> None:
    portrait = painted()
    entry = undecided(Intent.ERASE, portrait.owner_id, now(), scope="account")
    replayed(upkeep)
    assert Erasure.objects.get(pk=entry.id).stage == Erasure.Stage.PROVED
    assert restore.resolve(now() + MINUTE)["confirmed"] == 1


def test_somebody_whom_the_backup_does_not_know_gets_the_receipt_too(upkeep: Any) -> None:
    entry = confirmed(Intent.ERASE, uuid.uuid4(), now() - MINUTE, scope="account")
    replayed(upkeep)
    assert Erasure.objects.get(pk=entry.id).stage == Erasure.Stage.PROVED


@pytest.mark.parametrize("scope", ["portrait", "set", "photo", "biometric"])
def test_a_part_is_erased_again_and_the_rest_stays(upkeep: Any, scope: str) -> None:
    portrait = painted()
    who = portrait.owner_id
    kept = set_with_photo(who)
    photo = kept.photos.get()
    other = written(Kind.PORTRAIT, who, b"another portrait")
    target = {"portrait": portrait.pk, "set": kept.pk, "photo": photo.pk}.get(scope)
    gone: Any = portrait.blob_id if scope == "portrait" else photo.reference_id
    entry = confirmed(Intent.ERASE, who, now() - MINUTE, scope=scope, target_id=target)
    replayed(upkeep)
    assert Erasure.objects.get(pk=entry.id).stage == Erasure.Stage.PROVED
    assert not Blob.objects.filter(pk=gone, state=Blob.State.STORED).exists()
    lives = Blob.objects.filter(pk=other.pk, state=Blob.State.STORED).exists()
    assert lives is (scope != "biometric")
    assert OwnerKey.objects.filter(pk=who, destroyed_at=None).exists()


@pytest.mark.parametrize("scope", ["portrait", "set", "photo"])
def test_a_part_that_is_not_in_the_backup_has_its_receipt_all_the_same(
    upkeep: Any, scope: str
) -> None:
    entry = confirmed(
        Intent.ERASE, consenting(), now() - MINUTE, scope=scope, target_id=uuid.uuid4()
    )
    replayed(upkeep)
    again = Erasure.objects.get(pk=entry.id)
    assert (again.stage, again.counts) == (Erasure.Stage.PROVED, {})


def test_a_part_of_an_open_job_is_erased_all_the_same(upkeep: Any) -> None:
    who, by = consenting(), style()
    job = submitted(who, by, keep_hours=24)
    assert job.references is not None
    photo: Any = job.references.photos.get()
    entry = confirmed(Intent.ERASE, who, now() - MINUTE, scope="set", target_id=job.references_id)
    replayed(upkeep)
    assert Erasure.objects.get(pk=entry.id).stage == Erasure.Stage.PROVED
    assert not Blob.objects.filter(pk=photo.reference_id, state=Blob.State.STORED).exists()


def test_what_the_backup_already_knows_is_not_done_twice(upkeep: Any) -> None:
    who = consenting()
    begun = erasure.request(who, now())
    assert replayed(upkeep)["erase"] == 0
    assert Erasure.objects.filter(subject_id=who).get().pk == begun.pk


def test_a_consent_is_withdrawn_again_at_the_time_it_was(upkeep: Any) -> None:
    portrait, at = painted(), now()
    entry = confirmed(
        Intent.WITHDRAW, portrait.owner_id, at, purpose=GENERATION, erase_results=True
    )
    assert replayed(upkeep)["withdraw"] == 1
    newest = Consent.objects.filter(subject_id=portrait.owner_id).latest("at")
    assert (newest.verb, newest.at) == (Consent.Verb.WITHDRAWN, at)
    assert not Blob.objects.filter(pk=portrait.blob_id, state=Blob.State.STORED).exists()
    assert restore.happened(entry)


def test_what_somebody_ended_before_they_left_ends_before(upkeep: Any) -> None:
    portrait, at = painted(), now()
    who = portrait.owner_id
    first = confirmed(Intent.ERASE, who, at - 2 * MINUTE, scope="portrait", target_id=portrait.pk)
    second = confirmed(Intent.ERASE, who, at - MINUTE, scope="account")
    # A kill between the two writes of a confirmation leaves an entry under both names.
    ledgerstore.put(restore.INTENTS + second.name, second.statement())
    assert replayed(upkeep)["erase"] == 2
    part, whole = (Erasure.objects.get(pk=entry.id) for entry in (first, second))
    assert (part.stage, whole.stage) == (Erasure.Stage.PROVED,) * 2
    assert part.counts == {"portrait": 1, "rendition": 1}
    assert whole.counts == {}


def test_who_signed_again_has_the_last_word(upkeep: Any) -> None:
    who = consenting()
    between = now()
    sign(who)
    confirmed(Intent.WITHDRAW, who, between, purpose=GENERATION)
    assert replayed(upkeep)["withdraw"] == 0
    assert consent.require(who, now())


def test_there_is_nothing_to_withdraw_from_who_is_gone_or_never_signed(
    upkeep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(Intent.WITHDRAW, person(), now(), purpose=GENERATION)
    signed = consenting()
    confirmed(Intent.WITHDRAW, signed, now() + MINUTE, purpose=GENERATION)

    def gone(*args: Any, **kwargs: Any) -> None:
        raise OwnerErased

    monkeypatch.setattr(consent, "take_back", gone)
    assert replayed(upkeep)["withdraw"] == 0


def test_a_deadline_moves_earlier_again_and_never_later(upkeep: Any) -> None:
    long, short = painted(), painted()
    end = now() + timedelta(days=10)
    gallery.move_deadline(short, now() + timedelta(days=2), now())
    forget_the_ledger()
    for portrait in (long, short):
        blobs = tuple(portrait.renditions.values_list("blob_id", flat=True))
        confirmed(Intent.SHORTEN, portrait.owner_id, now(), blobs=blobs, expires_at=end)
    assert replayed(upkeep)["shorten"] == 2
    assert {row.blob.expires_at for row in long.renditions.all()} == {end}
    assert {row.blob.expires_at < end for row in short.renditions.all()} == {True}


def test_an_end_that_was_never_said_moves_nothing(upkeep: Any) -> None:
    blob = written(Kind.PORTRAIT, owner(), b"a portrait")
    confirmed(Intent.SHORTEN, blob.owner_id, now(), blobs=(blob.pk,))
    assert replayed(upkeep)["shorten"] == 0
    assert Blob.objects.get(pk=blob.pk).expires_at == blob.expires_at


def test_all_open_jobs_end_with_a_code_of_their_own_and_let_their_photos_go(upkeep: Any) -> None:
    people = [consenting() for _ in range(3)]
    jobs = [submitted(who, style(), count=2) for who in people]
    gone = submitted(consenting(), style())
    OwnerKey.objects.filter(pk=gone.owner_id).update(destroyed_at=now())
    assert replayed(upkeep)["jobs"] >= 3
    for job in jobs:
        job.refresh_from_db()
        assert job.state == Job.State.CANCELLED
        assert set(job.items.values_list("state", "code")) == {(Item.State.CANCELLED, "restored")}
    photos = Blob.objects.filter(owner_id__in=people, kind=Kind.REFERENCE)
    assert not photos.filter(state=Blob.State.STORED).exists()
    erasure.request(gone.owner_id, now())


def test_everybody_is_signed_out_and_no_export_can_be_fetched_twice(upkeep: Any) -> None:
    who = consenting()
    caller(who)
    fetched = Export.objects.create(
        owner_id=who, requested_at=now(), expires_at=now() + timedelta(hours=1)
    )
    part = written(Kind.EXPORT, who, b"a part")
    ExportPart.objects.create(export=fetched, sort="photo", source_id=uuid.uuid4(), blob=part)
    done = replayed(upkeep)
    assert done["sessions"] >= 1
    assert not Session.objects.exists()
    assert not Export.objects.exists()
    assert not Blob.objects.filter(pk=part.pk, state=Blob.State.STORED).exists()


def test_a_replay_is_audited_with_its_count(upkeep: Any) -> None:
    since = now()
    confirmed(Intent.ERASE, uuid.uuid4(), now(), scope="account")
    replayed(upkeep)
    events = AuditEvent.objects.filter(verb=audit.Verb.RESTORED, at__gte=since)
    assert {event.reason for event in events} == {audit.Reason.RESTORE}
    assert events.filter(count=1).exists()


# --- What stops it ------------------------------------------------------------------------------


def test_a_torn_entry_keeps_the_system_pending_and_is_named(upkeep: Any) -> None:
    upkeep()
    set_back()
    name = f"{INTENTS}20990101T000000.000000Z-torn"
    s3_client().put_object(Bucket=ledgerstore._bucket().name, Key=name, Body=b"{")
    with pytest.raises(CommandError, match="torn"):
        call_command("replay_ledger")
    assert restore.pending()


def test_keys_that_do_not_answer_are_waited_for(
    upkeep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = confirmed(Intent.ERASE, consenting(), now() - MINUTE, scope="set", target_id=person())

    def away(*args: Any, **kwargs: Any) -> None:
        raise KeysUnavailable

    upkeep()
    set_back()
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "request_part", away)
        with pytest.raises(KeysUnavailable):
            replay.run(now(), now)
    assert restore.pending()
    assert not Erasure.objects.filter(pk=entry.id).exists()
    assert replay.run(now(), now) is not None


# --- By hand ------------------------------------------------------------------------------------


def command(*options: str) -> str:
    out = io.StringIO()
    call_command("replay_ledger", *options, stdout=out)
    return out.getvalue()


def test_an_operator_reads_what_was_done_and_a_second_run_finds_nothing(upkeep: Any) -> None:
    confirmed(Intent.ERASE, consenting(), now() - MINUTE, scope="account")
    upkeep()
    set_back()
    said = command()
    assert "1 erasures begun again" in said
    assert "Nothing to replay" in command()


def test_an_operator_can_replay_unasked_after_a_failover(upkeep: Any) -> None:
    entry = undecided(Intent.ERASE, consenting(), now(), scope="account")
    upkeep()
    since = now()
    assert "1 entries read" in command("--unasked")
    assert Erasure.objects.filter(pk=entry.id, stage=Erasure.Stage.PROVED).exists()
    assert AuditEvent.objects.filter(verb=audit.Verb.RESTORED, at__gte=since).exists()


# --- Two at once, and killed at every step --------------------------------------------------------


def test_two_upkeeps_at_once_do_it_once(upkeep: Any) -> None:
    entries = [
        confirmed(Intent.ERASE, consenting(), now() - MINUTE, scope="account") for _ in range(5)
    ]
    job = submitted(consenting(), style())
    upkeep()
    set_back()
    since, problems = now(), []

    def work() -> None:
        try:
            replay.run(now(), now)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert not restore.pending()
    for entry in entries:
        assert Erasure.objects.filter(pk=entry.id, stage=Erasure.Stage.PROVED).exists()
        proofs = AuditEvent.objects.filter(
            verb=audit.Verb.ERASURE_PROVED, object_id=entry.id, at__gte=since
        )
        assert proofs.count() == 1
    assert Job.objects.get(pk=job.pk).state == Job.State.CANCELLED


@pytest.fixture(scope="module")
def reaper(key_folders: dict[str, Path]) -> Iterator[Reaper]:
    """A process that dies when it is told to."""
    driver = Reaper(key_folders["RECEIPT_KEYS"])
    yield driver
    driver.close()


def one_of_each() -> tuple[list[restore.Entry], list[Blob], Job]:
    """What a backup brought back: accounts, a portrait, a consent, a deadline and a job."""
    account, part, short = painted(), painted(), painted()
    signed = consenting()
    at, end = now() - timedelta(seconds=1), now() + timedelta(days=3)
    blobs = tuple(short.renditions.values_list("blob_id", flat=True))
    entries = [
        confirmed(Intent.ERASE, account.owner_id, at, scope="account"),
        confirmed(Intent.ERASE, part.owner_id, at, scope="portrait", target_id=part.pk),
        confirmed(Intent.WITHDRAW, signed, now(), purpose=GENERATION),
        undecided(Intent.SHORTEN, short.owner_id, now(), blobs=blobs, expires_at=end),
        confirmed(Intent.ERASE, painted().owner_id, at, scope="account"),
    ]
    # Somebody whom nothing of it concerns.
    bystander = painted()
    kept = list(Blob.objects.filter(pk__in=bystander.renditions.values("blob_id")))
    return entries, kept, submitted(consenting(), style())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_replay_that_is_killed_at_every_step_still_ends_everything(
    role: Any, reaper: Reaper
) -> None:
    step = random.randrange(1, STRIDE + 1) - STRIDE
    while True:
        role("web")
        forget_the_ledger()
        entries, kept, job = one_of_each()
        set_back()
        killed = reaper.killed_at("replay", step := step + STRIDE)
        if killed and not restore.pending():
            # Dead behind the very last commit: what is left is the copy of the count.
            assert all(restore.happened(entry) for entry in entries)
        role("upkeep")
        replay.run(now(), now)
        _check_ended(entries, kept, job)
        if not killed:
            break
    assert step > 20


def _check_ended(entries: list[restore.Entry], kept: list[Blob], job: Job) -> None:
    assert not restore.pending()
    assert all(restore.happened(entry) for entry in entries)
    for entry in (*entries[:2], entries[-1]):
        again = Erasure.objects.get(pk=entry.id)
        # What died with its worker is held until its lease ends; then the machine goes on.
        Lease.objects.filter(work_id=entry.id).update(held_until=None, ready_at=now())
        stages.work(now)
        again.refresh_from_db()
        assert (again.stage, again.receipt is not None) == (Erasure.Stage.PROVED, True)
    assert Consent.objects.filter(subject_id=entries[2].subject_id, verb="withdrawn").count() == 1
    assert Job.objects.get(pk=job.pk).state == Job.State.CANCELLED
    alive = Blob.objects.filter(pk__in=[blob.pk for blob in kept], state=Blob.State.STORED)
    assert alive.count() == len(kept)


@pytest.mark.slow
def test_settling_that_is_killed_at_every_step_loses_and_invents_nothing(
    upkeep: Any, reaper: Reaper
) -> None:
    portrait, at = painted(), now()
    gallery.move_deadline(portrait, at + timedelta(days=2), at)
    gallery.delete(portrait.owner_id, portrait.pk, now())
    old = now() - timedelta(minutes=1)
    happened = []
    for name in ledgerstore.names(INTENTS):
        said = restore._entry(name)
        moved = restore.Entry(**{**vars(said), "at": old})
        ledgerstore.put(INTENTS + moved.name, moved.statement())
        ledgerstore.delete([name])
        happened.append(moved.id)
    undecided(Intent.ERASE, owner(), now() - timedelta(minutes=20))
    confirmed(Intent.ERASE, owner(), now() - timedelta(days=50))
    step = 0
    while reaper.killed_at("resolve", step := step + 1):
        known = ledgerstore.names(INTENTS) + ledgerstore.names(CONFIRMED)
        assert {
            entry_id for name in known for entry_id in happened if str(entry_id) in name
        } == set(happened)
    assert step > 5
    assert not ledgerstore.names(INTENTS)
    assert {restore._entry(name).id for name in ledgerstore.names(CONFIRMED)} == set(happened)


# --- Who waits for it -----------------------------------------------------------------------------


def missing() -> list[str]:
    return [name for name in caller().get("/readyz").json()["missing"] if "ledger" in name]


def test_the_web_serves_nobody_before_the_replay_and_says_why(upkeep: Any) -> None:
    portrait = painted()
    set_back()
    answer = caller(portrait.owner_id).get("/v1/me/holdings")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "restoring")
    assert int(answer["Retry-After"]) > 0
    assert missing() == ["erasure ledger replay (upkeep does it)"]
    assert caller().get("/readyz").status_code == 503
    assert caller().get("/livez").status_code == 200
    upkeep()
    replay.run(now(), now)
    assert not missing()
    assert caller().get("/v1/privacy/facts").status_code == 200


def test_a_ledger_that_is_down_at_the_start_is_named_and_later_is_not_asked() -> None:
    with ledger_at(NOWHERE):
        assert missing() == ["erasure ledger (SITTER_LEDGER_BUCKET)"]
        assert caller().get("/v1/privacy/facts").status_code == 503
    assert not missing()
    with ledger_at(NOWHERE):
        assert not missing()
        assert caller().get("/v1/privacy/facts").status_code == 200


def test_a_database_that_is_set_back_under_a_running_web_shuts_it(upkeep: Any) -> None:
    upkeep()
    restore.pulse(now())
    assert not missing()
    Pulse.objects.update(count=restore.count() - 1)
    assert missing() == ["erasure ledger replay (upkeep does it)"]
    assert caller().get("/v1/privacy/facts").status_code == 503


def test_a_database_that_is_away_shuts_the_gate_and_is_named_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away() -> int:
        raise OperationalError

    monkeypatch.setattr(restore, "count", away)
    answer = caller().get("/v1/privacy/facts")
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "database_unavailable"
    assert not missing()


def test_a_worker_waits_for_the_replay(monkeypatch: pytest.MonkeyPatch, upkeep: Any) -> None:
    set_back()
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        upkeep()
        replay.run(now(), now)

    monkeypatch.setattr(time, "sleep", pause)
    roles._wait_for_replay()
    assert len(waited) == 1


def test_a_worker_that_waited_in_vain_says_for_what(monkeypatch: pytest.MonkeyPatch) -> None:
    set_back()
    monkeypatch.setattr(roles, "REPLAY_PATIENCE", -1.0)
    with pytest.raises(NotReady, match="upkeep"):
        roles._wait_for_replay()


def test_a_worker_names_a_ledger_that_is_down() -> None:
    with ledger_at(NOWHERE), pytest.raises(NotReady, match="SITTER_LEDGER_BUCKET"):
        roles._wait_for_replay()


def test_upkeep_replays_when_it_starts_and_gives_the_first_pulse(upkeep: Any) -> None:
    entry = confirmed(Intent.ERASE, consenting(), now() - MINUTE, scope="account")
    upkeep()
    set_back()
    roles.start()
    assert restore.happened(entry)
    assert not restore.pending()
    forget_the_ledger()
    roles.start()
    assert ledgerstore.names("pulse/") == [f"pulse/{restore.count():020d}"]


def test_the_gate_itself_refuses_by_class() -> None:
    set_back()
    with pytest.raises(RestorePending):
        gates.gate.check()
    with ledger_at(NOWHERE), pytest.raises(StorageDown):
        gates.gate.check()
    assert gates.gate.seen is None
