"""Roots have a row each: which one is in turn, when it ends, and that its file is the right one."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from privacy import epochs, keys
from privacy.audit import Verb
from privacy.errors import KeyFileRefused, KeyNotHeld, NotReady, SealBroken
from privacy.keyfiles import KeyFolder
from privacy.models import AuditEvent, OwnerKey, RootEpoch
from privacy.retention import ROOT_TURN, ROOT_WAIT
from tests.keys.people import many, sitter

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def root_file(folders: dict[str, Path], label: str) -> Path:
    return folders["ROOT_KEYS"] / f"{label}.key"


def test_the_keeper_makes_one_root_and_no_second(as_role: Any, folders: dict[str, Path]) -> None:
    as_role("keeper")
    before = AuditEvent.objects.filter(verb=Verb.ROOT_MADE).count()
    keys.make_root_key(NOW)
    keys.make_root_key(NOW + DAY)
    assert KeyFolder(folders["ROOT_KEYS"], "root").labels() == ["2031-03-01"]
    assert keys.root_epoch() == "2031-03-01"
    assert str(RootEpoch.objects.get()) == "2031-03-01"
    assert AuditEvent.objects.filter(verb=Verb.ROOT_MADE).count() == before + 1


def test_the_row_tells_nothing_about_the_root(as_role: Any, folders: dict[str, Path]) -> None:
    as_role("keeper")
    keys.make_root_key(NOW)
    secret = root_file(folders, "2031-03-01").read_bytes()
    assert secret not in bytes(RootEpoch.objects.get().check_sha256)


@pytest.mark.parametrize("name", ["intake", "gpu", "upkeep"])
def test_nobody_else_can_make_or_name_a_root(as_role: Any, name: str) -> None:
    as_role("keeper")
    keys.make_root_key(NOW)
    as_role(name)
    with pytest.raises(KeyNotHeld):
        keys.make_root_key(NOW)
    with pytest.raises(KeyNotHeld):
        epochs.make(NOW, force=True)
    with pytest.raises(KeyNotHeld):
        keys.root_epoch()


def test_before_the_keeper_has_made_a_root_the_web_is_not_ready(as_role: Any) -> None:
    as_role("web")
    with pytest.raises(NotReady):
        keys.root_epoch()
    keys.check_held(NOW)


def test_three_roots_of_one_day_have_labels_that_sort(as_role: Any) -> None:
    as_role("keeper")
    made = [epochs.make(NOW + timedelta(seconds=n), force=True) for n in range(3)]
    assert made == sorted(str(label) for label in made)
    assert made == ["2031-03-01", "2031-03-01-002", "2031-03-01-003"]
    assert keys.root_epoch() == made[-1]
    assert str(epochs.make(NOW + DAY, force=True)) > str(made[-1])


def test_a_root_is_followed_after_its_turn_and_not_before(as_role: Any) -> None:
    as_role("keeper")
    assert epochs.make(NOW)
    assert epochs.make(NOW + ROOT_TURN - timedelta(seconds=1)) is None
    assert epochs.make(NOW + ROOT_TURN) == "2031-03-15"
    assert RootEpoch.objects.get(pk="2031-03-01").retired_at == NOW + ROOT_TURN


def test_what_a_dying_keeper_left_becomes_the_root(as_role: Any, folders: dict[str, Path]) -> None:
    as_role("keeper")
    left = os.urandom(32)
    KeyFolder(folders["ROOT_KEYS"], "root").create("2031-03-01", left)
    keys.make_root_key(NOW)
    assert epochs.read("2031-03-01") == left


def test_a_file_that_no_row_knows_is_never_sealed_under(
    as_role: Any, folders: dict[str, Path]
) -> None:
    as_role("keeper")
    keys.make_root_key(NOW)
    KeyFolder(folders["ROOT_KEYS"], "root").create("2099-01-01", os.urandom(32))
    as_role("web")
    assert keys.root_epoch() == "2031-03-01"


def test_roots_that_are_older_than_this_table_get_their_row(
    as_role: Any, folders: dict[str, Path]
) -> None:
    as_role("keeper")
    root = KeyFolder(folders["ROOT_KEYS"], "root").create("2030-12-24", os.urandom(32))
    many(3, root, "2030-12-24", NOW - 2 * DAY)
    keys.make_root_key(NOW)
    old = RootEpoch.objects.get(pk="2030-12-24")
    assert old.created_at == NOW - 2 * DAY
    assert keys.root_epoch() == "2030-12-24", "it is young enough to go on"
    assert epochs.make(NOW + ROOT_TURN)


def test_an_old_root_that_opens_nobodys_key_is_refused(
    as_role: Any, folders: dict[str, Path]
) -> None:
    as_role("keeper")
    KeyFolder(folders["ROOT_KEYS"], "root").create("2030-12-24", os.urandom(32))
    many(1, os.urandom(32), "2030-12-24", NOW)
    with pytest.raises(KeyFileRefused, match=r"2030-12-24 does not open"):
        keys.make_root_key(NOW)


# --- At start -----------------------------------------------------------------------------------


def test_everything_is_in_order_behind_a_birth(born: Any) -> None:
    for name in ("web", "keeper", "intake", "gpu"):
        born(name)
        keys.check_held(datetime.now(UTC))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("web", "ROOT_KEYS"),
        ("keeper", "ROOT_KEYS"),
        ("keeper", "EVIDENCE_KEYS"),
        ("intake", "FLEET_KEYS"),
        ("gpu", "FLEET_KEYS"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "truncated", "open", "another", "no folder"])
def test_a_key_that_is_not_as_it_was_is_named(
    born: Any, folders: dict[str, Path], name: str, folder: str, damage: str
) -> None:
    born(name)
    file = sorted(folders[folder].glob("*.key"))[0]
    match damage:
        case "missing":
            file.unlink()
        case "truncated":
            file.write_bytes(b"short")
        case "open":
            file.chmod(0o644)
        case "another":
            file.write_bytes(os.urandom(32))
        case "no folder":
            folders[folder].rename(folders[folder].with_name("elsewhere"))
    with pytest.raises(KeyFileRefused, match=file.stem):
        keys.check_held(datetime.now(UTC))


def test_upkeep_is_asked_for_its_newest_key_alone(
    as_role: Any, settings_of: Any, tmp_path: Path
) -> None:
    as_role("upkeep")
    settings_of(RECEIPT_KEYS=str(tmp_path / "receipt"))
    for year in (2030, 2031):
        keys.publish_receipt_key(NOW.replace(year=year).date())
    (tmp_path / "receipt" / "2030.key").unlink()
    keys.check_held(NOW)
    (tmp_path / "receipt" / "2031.key").write_bytes(b"")
    with pytest.raises(KeyFileRefused, match=r"2031\.key"):
        keys.check_held(NOW)


def test_a_root_that_is_just_being_destroyed_is_not_missed(
    as_role: Any, folders: dict[str, Path]
) -> None:
    as_role("keeper")
    epochs.make(NOW)
    epochs.make(NOW + ROOT_TURN)
    root_file(folders, "2031-03-01").unlink()
    with pytest.raises(KeyFileRefused):
        keys.check_held(NOW + ROOT_TURN)
    keys.check_held(NOW + ROOT_TURN + ROOT_WAIT)
    many(1, os.urandom(32), "2031-03-01", NOW)
    with pytest.raises(KeyFileRefused):
        keys.check_held(NOW + ROOT_TURN + ROOT_WAIT)


def test_an_exchanged_root_is_named_when_it_is_used(born: Any, folders: dict[str, Path]) -> None:
    born("web")
    who = sitter(datetime.now(UTC))
    file = next(folders["ROOT_KEYS"].glob("*.key"))
    file.write_bytes(os.urandom(32))
    with pytest.raises(KeyFileRefused, match=rf"root key {file.stem} is not the one"):
        keys.owner_seed(who)
    with pytest.raises(KeyFileRefused, match=rf"root key {file.stem} is not the one"):
        sitter(datetime.now(UTC))


def test_a_damaged_row_is_not_blamed_on_the_root(born: Any) -> None:
    born("web")
    who = sitter(datetime.now(UTC))
    OwnerKey.objects.filter(pk=who).update(wrapped=bytes(60))
    with pytest.raises(SealBroken):
        keys.owner_seed(who)


# --- Given up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "name", "folder"),
    [
        ("fleet", "intake", "FLEET_KEYS"),
        ("evidence", "keeper", "EVIDENCE_KEYS"),
        ("root", "keeper", "ROOT_KEYS"),
    ],
)
def test_a_lost_key_can_be_given_up_and_is_born_anew(
    born: Any, folders: dict[str, Path], sort: str, name: str, folder: str
) -> None:
    now = datetime.now(UTC)
    born(name)
    for file in sorted(folders[folder].glob("*.key")):
        file.unlink()
        with pytest.raises(KeyFileRefused, match=file.stem):
            keys.check_held(now)
        assert keys.give_up(sort, file.stem, now)
    assert not keys.give_up(sort, "never", now)
    keys.check_held(now)
    match name, sort:
        case "intake", _:
            keys.publish_fleet_keys(now.date())
        case _, "evidence":
            keys.publish_evidence_key(now.date())
        case _:
            keys.make_root_key(now)
            assert keys.root_epoch().endswith("-002")
    keys.check_held(now)


def test_a_lost_key_is_not_silently_made_again(born: Any, folders: dict[str, Path]) -> None:
    """A new seed under an old label would turn everything sealed to that day into noise."""
    born("intake")
    today = datetime.now(UTC).date()
    (folders["FLEET_KEYS"] / f"{today}.key").unlink()
    with pytest.raises(KeyFileRefused, match="is missing"):
        keys.publish_fleet_keys(today)
    assert not (folders["FLEET_KEYS"] / f"{today}.key").exists()


# --- The end of evidence keys -------------------------------------------------------------------


def test_an_evidence_key_ends_when_its_last_evidence_is_gone(
    as_role: Any, folders: dict[str, Path]
) -> None:
    as_role("keeper")
    for year in (2025, 2026, 2031):
        keys.publish_evidence_key(NOW.replace(year=year).date())
    store = KeyFolder(folders["EVIDENCE_KEYS"], "evidence")
    assert keys.destroy_old_evidence_keys(NOW.date()) == 1
    assert store.labels() == ["2026", "2031"], "that of 2026 may seal a living release until 2031"
    keys.check_held(NOW)
