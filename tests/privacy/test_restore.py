"""The erasure ledger: written before anything ends, settled by what the database says."""

import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from portraits import gallery
from portraits.models import Portrait
from privacy import audit, consent, erasure, keys, ledgerstore, restore, vault
from privacy.errors import BlobGone, DeadlineRefused, LedgerDown, LedgerUnreadable, StorageDown
from privacy.models import AuditEvent, Blob, Consent, Erasure, OwnerKey, Pulse
from privacy.restore import CONFIRMED, INTENTS, Intent
from privacy.retention import Kind
from tests.conftest import s3_client
from tests.portraits.making import consenting, now, owner, person, set_with_photo, written
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

GENERATION = consent.Purpose.GENERATION
LATER = timedelta(seconds=31)
MUCH_LATER = timedelta(minutes=11)


@pytest.fixture(autouse=True)
def web(born: Any) -> Iterator[None]:
    """Everything here runs as the web, beside an empty ledger."""
    forget_the_ledger()
    yield
    forget_the_ledger()


def intents() -> list[restore.Entry]:
    return [restore._entry(name) for name in ledgerstore.names(INTENTS)]


def settled() -> list[uuid.UUID]:
    return [restore._entry(name).id for name in ledgerstore.names(CONFIRMED)]


# --- Writing it down ----------------------------------------------------------------------------


def test_an_erasure_stands_in_the_ledger_under_its_own_id() -> None:
    who = consenting()
    begun = erasure.request(who, now())
    (entry,) = intents()
    assert (entry.id, entry.intent, entry.subject_id) == (begun.pk, Intent.ERASE, who)
    assert entry.scope == Erasure.Scope.ACCOUNT


def test_a_second_request_writes_nothing_new() -> None:
    who = consenting()
    first = erasure.request(who, now())
    assert erasure.request(who, now()).pk == first.pk
    assert len(intents()) == 1


def test_an_erased_portrait_stands_in_it_with_its_target() -> None:
    portrait = painted()
    begun = gallery.delete(portrait.owner_id, portrait.pk, now())
    assert gallery.delete(portrait.owner_id, portrait.pk, now()).pk == begun.pk
    (entry,) = intents()
    assert (entry.id, entry.target_id, entry.scope) == (begun.pk, portrait.pk, "portrait")


def test_a_withdrawal_stands_in_it_with_its_purpose() -> None:
    who, at = consenting(), now()
    consent.withdraw(who, GENERATION, "tests/1", at, erase_portraits=True)
    (entry,) = intents()
    assert (entry.purpose, entry.erase_results, entry.at) == (GENERATION, True, at)


def test_an_earlier_end_stands_in_it_with_every_size_and_a_later_one_does_not() -> None:
    portrait, at = painted(), now()
    gallery.move_deadline(portrait, at + timedelta(days=90), at)
    assert not intents()
    gallery.move_deadline(portrait, at + timedelta(days=2), at)
    (entry,) = intents()
    assert set(entry.blobs) == set(portrait.renditions.values_list("blob_id", flat=True))
    assert entry.expires_at == at + timedelta(days=2)


def test_an_entry_holds_ids_and_times_and_nothing_else() -> None:
    portrait, at = painted(), now()
    gallery.move_deadline(portrait, at + timedelta(days=2), at)
    consent.withdraw(portrait.owner_id, GENERATION, "tests/1", at, erase_portraits=False)
    gallery.delete(portrait.owner_id, portrait.pk, now())
    erasure.request(portrait.owner_id, now())
    said = [ledgerstore.get(name) for name in ledgerstore.names(INTENTS)]
    assert len(said) == 4
    known = {"id", "intent", "subject_id", "at", "scope", "target_id", "blobs", "expires_at"}
    assert set().union(*said) <= known | {"purpose", "erase_results"}


def test_what_our_own_refusal_rolled_back_leaves_no_entry() -> None:
    who = consenting()
    seen = []

    def refused() -> None:
        with restore.intend(Intent.ERASE, who, now()):
            seen.extend(intents())
            raise BlobGone

    with pytest.raises(BlobGone):
        refused()
    assert len(seen) == 1
    assert not intents()


def test_what_ended_otherwise_stays_for_the_sweep_to_find_out() -> None:
    with pytest.raises(KeyError), restore.intend(Intent.ERASE, person(), now()):
        raise KeyError
    assert len(intents()) == 1


def test_it_is_never_written_inside_a_transaction() -> None:
    context = restore.intend(Intent.ERASE, person(), now())
    with transaction.atomic(), pytest.raises(RuntimeError, match="before its transaction"):
        context.__enter__()
    assert not intents()


def test_a_refused_deadline_is_not_written_down() -> None:
    portrait, at = painted(), now()
    with pytest.raises(DeadlineRefused):
        gallery.move_deadline(portrait, at - timedelta(days=1), at)
    assert not intents()


def test_who_is_erased_while_a_deadline_moves_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    portrait, at = painted(), now()
    moving = vault._move

    def overtaken(*args: Any) -> None:
        gallery.delete(portrait.owner_id, portrait.pk, at)
        moving(*args)

    monkeypatch.setattr(vault, "_move", overtaken)
    with pytest.raises(BlobGone):
        gallery.move_deadline(portrait, at + timedelta(days=2), at)
    assert [entry.intent for entry in intents()] == [Intent.ERASE]


# --- A ledger that is down ----------------------------------------------------------------------


def held(who: uuid.UUID) -> Any:
    """Everything of a person that one of the verbs could change."""
    return (
        list(Blob.objects.filter(owner_id=who).order_by("pk").values("pk", "state", "expires_at")),
        list(Consent.objects.filter(subject_id=who).order_by("pk").values_list("pk")),
        list(Erasure.objects.filter(subject_id=who).values_list("pk")),
        list(Portrait.objects.filter(owner_id=who).values_list("pk")),
        list(OwnerKey.objects.filter(owner_id=who).values_list("destroyed_at")),
    )


def asked(portrait: Portrait) -> list[tuple[str, str, Any]]:
    """Each verb that ends something, as a client calls it."""
    kept = set_with_photo(portrait.owner_id)
    end = (now() + timedelta(days=2)).isoformat()
    return [
        ("delete", f"/v1/portraits/{portrait.pk}", None),
        ("patch", f"/v1/portraits/{portrait.pk}", {"expires_at": end}),
        ("delete", f"/v1/reference-sets/{kept.pk}/photos/front", None),
        ("delete", f"/v1/reference-sets/{kept.pk}", None),
        ("post", "/v1/consents/withdrawal", {"portraits": "erase"}),
        ("post", "/v1/me/erasure", {"scope": "biometric"}),
        ("post", "/v1/me/erasure", {}),
    ]


def test_without_the_ledger_every_verb_says_later_and_changes_nothing() -> None:
    portrait = painted()
    client = caller(portrait.owner_id, confirmed=1)
    calls = asked(portrait)
    before = held(portrait.owner_id)
    assert client.get("/v1/me/holdings").status_code == 200
    for verb, path, body in calls:
        with ledger_at(NOWHERE):
            answer = getattr(client, verb)(path, body, format="json")
        assert answer.status_code == 503, (path, answer.content)
        assert answer.json()["errors"][0]["code"] == "ledger_unavailable"
        assert int(answer["Retry-After"]) > 0
        assert held(portrait.owner_id) == before, path
    assert client.get("/v1/me/holdings").status_code == 200
    assert not intents()


def test_with_the_ledger_back_every_verb_does_what_it_says() -> None:
    portrait = painted()
    client = caller(portrait.owner_id, confirmed=1)
    calls = asked(portrait)
    # The account last, and the portrait's deadline before the portrait.
    for at in (1, 0, 2, 3, 4, 5, 6):
        verb, path, body = calls[at]
        answer = getattr(client, verb)(path, body, format="json")
        assert answer.status_code in (200, 202), (path, answer.content)
    assert len(intents()) == 7


def test_a_longer_life_needs_no_ledger() -> None:
    portrait, at = painted(), now()
    with ledger_at(NOWHERE):
        gallery.move_deadline(portrait, at + timedelta(days=90), at)
        with pytest.raises(LedgerDown):
            gallery.move_deadline(portrait, at + timedelta(days=80), at)


# --- Settling -----------------------------------------------------------------------------------


def end_everything() -> list[uuid.UUID]:
    """One of each; returns the entries."""
    portrait, at = painted(), now()
    gallery.move_deadline(portrait, at + timedelta(days=2), at)
    consent.withdraw(portrait.owner_id, GENERATION, "tests/1", at, erase_portraits=False)
    gallery.delete(portrait.owner_id, portrait.pk, now())
    erasure.request(portrait.owner_id, now())
    return [entry.id for entry in intents()]


def test_what_is_younger_than_a_request_may_last_is_left_alone() -> None:
    made = end_everything()
    assert not restore.resolve(now())["confirmed"]
    assert [entry.id for entry in intents()] == made


def test_what_happened_is_confirmed() -> None:
    made = end_everything()
    assert restore.resolve(now() + LATER)["confirmed"] == 4
    assert not intents()
    assert settled() == made
    assert not restore.resolve(now() + LATER)["confirmed"]


@pytest.mark.parametrize("what", list(Intent))
def test_what_did_not_happen_is_voided_once_nobody_can_be_at_it_any_more(what: Intent) -> None:
    blob, at = written(Kind.PORTRAIT, owner(), b"a portrait"), now()
    undecided(
        *(what, blob.owner_id, at),
        scope=Erasure.Scope.ACCOUNT,
        purpose=GENERATION,
        blobs=(blob.pk,),
        expires_at=at + timedelta(days=1),
    )
    assert not restore.resolve(at + LATER)["voided"]
    assert len(intents()) == 1
    assert restore.resolve(at + MUCH_LATER)["voided"] == 1
    assert not intents()
    assert not settled()


def test_while_somebody_holds_the_person_nothing_is_voided() -> None:
    who, at = owner(), now()
    undecided(Intent.ERASE, who, at)
    begun, over = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            keys.hold_owner(who, exclusive=True)
            begun.set()
            assert over.wait(20)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(20)
    try:
        assert not restore.resolve(at + MUCH_LATER)["voided"]
    finally:
        over.set()
        thread.join()
    assert restore.resolve(at + MUCH_LATER)["voided"] == 1


def test_what_another_upkeep_has_settled_meanwhile_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = end_everything()
    names = ledgerstore.names
    gone = f"{INTENTS}20200101T000000.000000Z-{uuid.uuid4()}"

    def with_one_gone(prefix: str, **options: Any) -> list[str]:
        return [gone, *names(prefix, **options)] if prefix == INTENTS else names(prefix, **options)

    monkeypatch.setattr(ledgerstore, "names", with_one_gone)
    assert restore.resolve(now() + LATER)["confirmed"] == len(made)


def test_a_confirmed_entry_ends_after_forty_days() -> None:
    old = confirmed(Intent.ERASE, person(), now() - timedelta(days=41))
    young = confirmed(Intent.ERASE, person(), now() - timedelta(days=39))
    assert restore.resolve(now())["ended"] == 1
    assert settled() == [young.id]
    assert old.id not in settled()


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"id": "x"}', b'{"id": 5}'])
def test_an_entry_that_cannot_be_read_is_named(body: bytes) -> None:
    name = f"{INTENTS}20200101T000000.000000Z-torn"
    s3_client().put_object(Bucket=ledgerstore._bucket().name, Key=name, Body=body)
    with pytest.raises(LedgerUnreadable, match="torn"):
        restore.resolve(now())


# --- The pulse ----------------------------------------------------------------------------------


def test_a_new_installation_is_not_pending() -> None:
    assert not restore.pending()


def test_each_pulse_counts_up_in_the_database_and_then_in_the_bucket() -> None:
    before = restore.count()
    assert restore.pulse(now())
    assert restore.pulse(now())
    assert restore.count() == before + 2
    assert ledgerstore.names("pulse/") == [f"pulse/{before + 2:020d}"]
    assert not restore.pending()


def test_a_database_behind_the_bucket_is_pending_and_neither_count_moves() -> None:
    set_back()
    names, count = ledgerstore.names("pulse/"), restore.count()
    assert not restore.pulse(now())
    assert (ledgerstore.names("pulse/"), restore.count()) == (names, count)


def test_while_a_replay_is_due_nothing_is_settled() -> None:
    undecided(Intent.ERASE, person(), now() - timedelta(days=1))
    set_back()
    assert not restore.resolve(now())
    assert len(intents()) == 1


def test_a_bucket_that_is_down_between_the_counts_leaves_nobody_pending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert restore.pulse(now())

    def down(name: str, statement: Any) -> None:
        raise StorageDown

    with monkeypatch.context() as patched:
        patched.setattr(ledgerstore, "put", down)
        with pytest.raises(StorageDown):
            restore.pulse(now())
    assert not restore.pending()
    assert restore.pulse(now())


def test_pulses_at_once_never_lower_the_bucket() -> None:
    restore.pulse(now())
    before, problems = restore.count(), []

    def beat() -> None:
        try:
            for _ in range(5):
                restore.pulse(now())
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=beat) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert restore.count() == before + 15
    assert ledgerstore.names("pulse/")[-1] == f"pulse/{before + 15:020d}"
    assert not restore.pending()


def test_behind_a_replay_the_count_is_ahead_and_it_is_audited_once() -> None:
    set_back()
    since = now()
    assert restore.caught_up(now(), 3)
    assert not restore.caught_up(now(), 3)
    assert not restore.pending()
    events = AuditEvent.objects.filter(verb=audit.Verb.RESTORED, at__gte=since)
    assert [event.count for event in events] == [3]


def test_only_what_the_backup_may_lack_is_replayed() -> None:
    at = now()
    Pulse.objects.update_or_create(pk=1, defaults={"at": at})
    confirmed(Intent.ERASE, person(), at - timedelta(hours=2))
    young = confirmed(Intent.ERASE, person(), at - timedelta(minutes=30))
    doubtful = undecided(Intent.ERASE, person(), at - timedelta(days=3))
    assert [entry.id for entry in restore.entries()] == [young.id, doubtful.id]


def test_a_database_without_any_pulse_is_given_everything() -> None:
    Pulse.objects.all().delete()
    old = confirmed(Intent.ERASE, person(), now() - timedelta(days=30))
    assert [entry.id for entry in restore.entries()] == [old.id]


def test_what_ends_while_the_ledger_is_read_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(restore, "BATCH", 1)  # so many are read ahead
    first = confirmed(Intent.ERASE, person(), now() - timedelta(minutes=2))
    second = confirmed(Intent.ERASE, person(), now() - timedelta(minutes=1))
    Pulse.objects.all().delete()
    found = restore.entries()
    assert next(found).id == first.id
    ledgerstore.delete([CONFIRMED + second.name])
    assert list(found) == []


def test_the_price_of_the_ledger_is_one_small_write() -> None:
    """Measured, and bounded far above what it is."""
    seconds = []
    for _ in range(20):
        began = datetime.now().astimezone()
        with restore.intend(Intent.ERASE, uuid.uuid4(), now()):
            seconds.append((datetime.now().astimezone() - began).total_seconds())
    assert sorted(seconds)[10] < 0.5
