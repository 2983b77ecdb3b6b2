"""The turn of the roots: who is rewrapped, what is destroyed, and what keeps a root alive."""

import os
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from privacy import epochs, erasure, keys, rotation
from privacy.audit import Verb
from privacy.errors import KeyDestroyed, KeyFileRefused, KeyNotHeld
from privacy.keyfiles import KeyFolder
from privacy.models import AuditEvent, OwnerKey, RootEpoch
from privacy.retention import ROOT_TURN, ROOT_WAIT
from tests.keys.people import many, sitter, unreadable

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = "2031-03-01", "2031-03-15"
DAY = timedelta(days=1)


@pytest.fixture
def roots(as_role: Any, folders: dict[str, Path]) -> KeyFolder:
    """A keeper with its first root."""
    as_role("keeper")
    keys.make_root_key(NOW)
    return KeyFolder(folders["ROOT_KEYS"], "root")


def counts(verb: Verb) -> list[int]:
    return list(AuditEvent.objects.filter(verb=verb).order_by("id").values_list("count", flat=True))


def test_a_turn_that_is_not_due_does_nothing(roots: KeyFolder) -> None:
    seeds = many(3, roots.read(FIRST), FIRST, NOW)
    before = list(OwnerKey.objects.order_by("pk").values_list("wrapped", flat=True))
    assert rotation.turn(NOW + DAY) == rotation.Turn(None, 0, 0, ())
    assert before == list(OwnerKey.objects.order_by("pk").values_list("wrapped", flat=True))
    assert len(seeds) == 3


def test_a_turn_moves_every_living_owner_and_each_still_opens(
    roots: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 4)
    seeds = many(10, roots.read(FIRST), FIRST, NOW)
    events, heard = len(counts(Verb.OWNERS_REWRAPPED)), []
    done = rotation.turn(NOW + ROOT_TURN, told=lambda moved, total: heard.append((moved, total)))
    assert done == rotation.Turn(SECOND, 10, 0, ())
    assert heard == [(4, 10), (8, 10), (10, 10)]
    assert unreadable(seeds, {SECOND: roots.read(SECOND)}) == 0
    assert counts(Verb.OWNERS_REWRAPPED)[events:] == [4, 4, 2]
    assert rotation.turn(NOW + ROOT_TURN) == rotation.Turn(None, 0, 0, ())


def test_an_old_root_is_destroyed_after_its_wait_and_not_before(roots: KeyFolder) -> None:
    many(2, roots.read(FIRST), FIRST, NOW)
    turned = NOW + ROOT_TURN
    rotation.turn(turned)
    assert rotation.turn(turned + ROOT_WAIT - timedelta(seconds=1)).destroyed == ()
    assert roots.labels() == [FIRST, SECOND]
    events = len(counts(Verb.ROOT_DESTROYED))
    assert rotation.turn(turned + ROOT_WAIT).destroyed == (FIRST,)
    assert roots.labels() == [SECOND]
    assert RootEpoch.objects.get(pk=FIRST).destroyed_at == turned + ROOT_WAIT
    assert rotation.turn(turned + ROOT_WAIT).destroyed == ()
    assert len(counts(Verb.ROOT_DESTROYED)) == events + 1


def test_a_key_of_the_old_root_that_came_late_is_picked_up_before_the_root_goes(
    roots: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web that had read the name of the root before the turn, and wrote behind it."""
    turned = NOW + ROOT_TURN
    rotation.turn(turned)
    late = many(1, roots.read(FIRST), FIRST, turned)
    assert epochs.destroy_due(turned + ROOT_WAIT) == [], "somebody refers to it"
    done = rotation.turn(turned + ROOT_WAIT)
    assert (done.rewrapped, done.destroyed) == (1, (FIRST,))
    assert unreadable(late, {SECOND: roots.read(SECOND)}) == 0


def test_a_destroyer_that_died_between_file_and_row_is_finished(roots: KeyFolder) -> None:
    rotation.turn(NOW + ROOT_TURN)
    roots.remove(FIRST)
    assert rotation.turn(NOW + ROOT_TURN + ROOT_WAIT).destroyed == (FIRST,)


def test_a_year_of_daily_turns_keeps_two_roots_at_the_most(roots: KeyFolder) -> None:
    seeds = many(5, roots.read(FIRST), FIRST, NOW)
    for day in range(365):
        rotation.turn(NOW + day * DAY)
        labels = roots.labels()
        assert len(labels) <= 2
        oldest = RootEpoch.objects.get(pk=labels[0])
        assert NOW + day * DAY <= oldest.created_at + ROOT_TURN + ROOT_WAIT
        assert epochs.late(NOW + day * DAY) == []
    assert unreadable(seeds, {label: roots.read(label) for label in roots.labels()}) == 0
    assert RootEpoch.objects.count() == 27


def test_a_keeper_that_stood_still_is_seen(roots: KeyFolder) -> None:
    assert epochs.late(NOW + ROOT_TURN + DAY) == []
    assert epochs.late(NOW + ROOT_TURN + 2 * DAY) == [FIRST]
    rotation.turn(NOW + 30 * DAY)
    assert epochs.late(NOW + 30 * DAY) == []
    assert epochs.late(NOW + 30 * DAY + ROOT_WAIT + 2 * DAY) == [FIRST]


def test_two_keepers_at_once_make_one_root(roots: KeyFolder) -> None:
    done: list[rotation.Turn] = []

    def turn() -> None:
        done.append(rotation.turn(NOW + ROOT_TURN))
        connection.close()

    seeds = many(2500, roots.read(FIRST), FIRST, NOW)
    threads = [threading.Thread(target=turn) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(turn.made or "" for turn in done) == ["", SECOND]
    assert sum(turn.rewrapped for turn in done) == 2500
    assert unreadable(seeds, {SECOND: roots.read(SECOND)}) == 0


# --- Erasure and damage -------------------------------------------------------------------------


def test_an_erasure_in_the_middle_of_a_turn_wins(roots: KeyFolder, as_role: Any) -> None:
    """The turn waits for the row that the erasure holds, and finds nothing to wrap any more."""
    seeds = many(3, roots.read(FIRST), FIRST, NOW)
    gone = sorted(seeds)[1]
    done: list[rotation.Turn] = []

    def turn() -> None:
        done.append(rotation.turn(NOW + ROOT_TURN))
        connection.close()

    with transaction.atomic():
        keys.hold_owner(gone, exclusive=True)
        keeper = threading.Thread(target=turn)
        keeper.start()
        keeper.join(1.5)
        assert keeper.is_alive(), "the second round waits for the row"
        OwnerKey.objects.filter(pk=gone).update(wrapped=None, destroyed_at=NOW)
    keeper.join(30)
    assert [turn.rewrapped for turn in done] == [2]
    row = OwnerKey.objects.get(pk=gone)
    assert (row.wrapped, row.root_epoch) == (None, FIRST)
    with pytest.raises(KeyDestroyed):
        keys.owner_seed(gone)


def test_a_row_that_is_held_for_a_moment_is_rewrapped_in_the_second_round(
    roots: KeyFolder,
) -> None:
    seeds = many(3, roots.read(FIRST), FIRST, NOW)
    done: list[rotation.Turn] = []

    def turn() -> None:
        done.append(rotation.turn(NOW + ROOT_TURN))
        connection.close()

    with transaction.atomic():
        keys.hold_owner(sorted(seeds)[0], exclusive=True)
        keeper = threading.Thread(target=turn)
        keeper.start()
        keeper.join(1.5)
    keeper.join(30)
    assert [turn.rewrapped for turn in done] == [3]


def test_the_erased_do_not_keep_a_root_alive(roots: KeyFolder, as_role: Any) -> None:
    as_role("web")
    who = sitter(NOW)
    erasure.request(who, NOW)
    as_role("keeper")
    rotation.turn(NOW + ROOT_TURN)
    assert rotation.turn(NOW + ROOT_TURN + ROOT_WAIT).destroyed == (FIRST,)


def test_a_damaged_owner_key_stops_nobody_else_and_keeps_its_root(roots: KeyFolder) -> None:
    seeds = many(3, roots.read(FIRST), FIRST, NOW)
    broken = sorted(seeds)[0]
    OwnerKey.objects.filter(pk=broken).update(wrapped=bytes(60))
    done = rotation.turn(NOW + ROOT_TURN)
    assert (done.rewrapped, done.damaged) == (2, 1)
    assert rotation.turn(NOW + ROOT_TURN + ROOT_WAIT).destroyed == ()
    assert roots.has(FIRST)


def test_a_batch_of_damaged_keys_alone_is_left_as_it_is(roots: KeyFolder) -> None:
    seeds = many(1, os.urandom(32), FIRST, NOW)
    assert rotation.turn(NOW + ROOT_TURN).damaged == len(seeds)


def test_an_exchanged_root_stops_the_turn_before_it_wraps_anything(
    roots: KeyFolder, folders: dict[str, Path]
) -> None:
    many(2, roots.read(FIRST), FIRST, NOW)
    (folders["ROOT_KEYS"] / f"{FIRST}.key").write_bytes(os.urandom(32))
    with pytest.raises(KeyFileRefused, match=FIRST):
        rotation.turn(NOW + ROOT_TURN)
    assert set(OwnerKey.objects.values_list("root_epoch", flat=True)) == {FIRST}


@pytest.mark.parametrize("name", ["intake", "gpu", "upkeep"])
def test_no_worker_turns_the_roots(roots: KeyFolder, as_role: Any, name: str) -> None:
    as_role(name)
    with pytest.raises(KeyNotHeld):
        rotation.turn(NOW + ROOT_TURN)


def test_new_people_are_wrapped_under_the_new_root(roots: KeyFolder, as_role: Any) -> None:
    rotation.turn(NOW + ROOT_TURN)
    as_role("web")
    who = sitter(NOW + ROOT_TURN)
    assert OwnerKey.objects.get(pk=who).root_epoch == SECOND
    assert isinstance(who, uuid.UUID)
