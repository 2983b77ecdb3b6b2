"""Keys: who may make, read and destroy them, and which key files are refused."""

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from privacy import crypto, erasure, keys, retention
from privacy.errors import KeyDestroyed, KeyFileRefused, KeyNotHeld, NotReady, OwnerErased
from privacy.keyfiles import KeyFolder
from privacy.models import EvidenceKey, FleetKey, OwnerKey, ReceiptKey
from tests.portraits.making import now, owner, person

DAY = date(2031, 3, 1)


@pytest.fixture
def fleet(tmp_path: Path, settings_of: Any) -> Iterator[KeyFolder]:
    """An intake with an empty folder of its own; the labels of a far year keep to themselves."""
    settings_of(FLEET_KEYS=tmp_path / "fleet")
    yield KeyFolder(tmp_path / "fleet", "fleet")
    # A worker that starts on this database later would miss their files.
    FleetKey.objects.filter(label__gte="2031").delete()


def path_of(folder: KeyFolder, label: str) -> Path:
    assert folder.path is not None
    return folder.path / f"{label}.key"


# --- Files --------------------------------------------------------------------------------------


def test_a_new_key_is_readable_by_its_owner_alone(fleet: KeyFolder) -> None:
    fleet.create("one", os.urandom(32))
    assert path_of(fleet, "one").stat().st_mode & 0o777 == 0o600
    assert path_of(fleet, "one").parent.stat().st_mode & 0o777 == 0o700


def test_a_missing_key_file_is_named(fleet: KeyFolder) -> None:
    with pytest.raises(KeyFileRefused, match=r"fleet key gone\.key is missing"):
        fleet.read("gone")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_file_of_another_length_is_named(fleet: KeyFolder, length: int) -> None:
    fleet.create("odd", os.urandom(length))
    with pytest.raises(KeyFileRefused, match=r"fleet key odd\.key has not 32 bytes"):
        fleet.read("odd")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_key_file_that_others_can_reach_is_named(fleet: KeyFolder, mode: int) -> None:
    fleet.create("open", os.urandom(32))
    path_of(fleet, "open").chmod(mode)
    with pytest.raises(KeyFileRefused, match=r"fleet key open\.key is readable by others"):
        fleet.read("open")


def test_a_key_is_written_once_by_twenty_at_a_time(fleet: KeyFolder) -> None:
    with ThreadPoolExecutor(20) as pool:
        got = list(pool.map(lambda _: fleet.create("same", os.urandom(32)), range(20)))
    assert set(got) == {fleet.read("same")}
    assert [file.name for file in path_of(fleet, "same").parent.iterdir()] == ["same.key"]


def test_a_role_without_the_folder_is_told_so() -> None:
    with pytest.raises(KeyNotHeld, match="holds no fleet keys"):
        KeyFolder(None, "fleet").read("any")


def test_a_restored_folder_with_another_key_is_refused(fleet: KeyFolder) -> None:
    keys.publish_fleet_keys(DAY)
    label = DAY.isoformat()
    fleet.remove(label)
    fleet.create(label, crypto.new_seed())
    with pytest.raises(KeyFileRefused, match=rf"{label} in this folder is not the one"):
        keys.publish_fleet_keys(DAY)


# --- The fleet ----------------------------------------------------------------------------------


def test_fleet_keys_are_published_two_days_ahead(fleet: KeyFolder) -> None:
    keys.publish_fleet_keys(DAY)
    expected = [(DAY + timedelta(days=ahead)).isoformat() for ahead in range(3)]
    published = FleetKey.objects.filter(label__gte=DAY.isoformat()).order_by("label")
    assert [row.label for row in published] == expected == fleet.labels()
    for label in expected:
        assert keys.fleet_public(date.fromisoformat(label))[1] == crypto.public_half(
            fleet.read(label)
        )
    with pytest.raises(NotReady):
        keys.fleet_public(DAY + timedelta(days=3))


def test_publishing_again_changes_nothing(fleet: KeyFolder) -> None:
    keys.publish_fleet_keys(DAY)
    before = {label: fleet.read(label) for label in fleet.labels()}
    keys.publish_fleet_keys(DAY)
    assert before == {label: fleet.read(label) for label in fleet.labels()}


def test_old_seeds_are_destroyed_after_nine_days_and_not_before(fleet: KeyFolder) -> None:
    keys.publish_fleet_keys(DAY)
    assert keys.destroy_old_fleet_keys(DAY + timedelta(days=8)) == 0
    assert fleet.has(DAY.isoformat())
    assert keys.destroy_old_fleet_keys(DAY + timedelta(days=9)) == 1
    assert not fleet.has(DAY.isoformat())
    assert fleet.has((DAY + timedelta(days=1)).isoformat())


def test_a_seed_lives_as_long_as_the_longest_reference_sealed_to_it() -> None:
    sealed_last = datetime.combine(DAY, datetime.max.time(), UTC)
    ends = retention.deadline(
        retention.Kind.REFERENCE, sealed_last, datetime.max.replace(tzinfo=UTC)
    )
    destroyed = datetime.combine(
        DAY + retention.term(retention.Term.FLEET_SEED), datetime.min.time(), UTC
    )
    assert ends < destroyed


def test_a_seed_that_was_destroyed_stays_destroyed(fleet: KeyFolder) -> None:
    keys.publish_fleet_keys(DAY)
    later = DAY + timedelta(days=9)
    keys.destroy_old_fleet_keys(later)
    keys.publish_fleet_keys(later)
    with pytest.raises(KeyFileRefused):
        keys.fleet_seed(DAY.isoformat())


# --- Roots, evidence, receipts ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["intake", "gpu", "upkeep", "beat", "migrator"])
def test_nobody_else_can_make_or_name_a_root(role: Any, name: str) -> None:
    role(name)
    with pytest.raises(KeyNotHeld):
        keys.make_root_key(now())
    with pytest.raises(KeyNotHeld):
        keys.root_epoch()


def test_in_the_last_days_of_a_year_the_next_evidence_key_exists(
    tmp_path: Path, settings_of: Any
) -> None:
    EvidenceKey.objects.filter(label__in=["2031", "2032"]).delete()
    settings_of(EVIDENCE_KEYS=tmp_path / "evidence")
    keys.publish_evidence_key(date(2031, 12, 24))
    with pytest.raises(NotReady):
        keys.evidence_public(date(2032, 1, 1))
    keys.publish_evidence_key(date(2031, 12, 25))
    assert keys.evidence_public(date(2032, 1, 1))[0] == "2032"
    EvidenceKey.objects.filter(label__in=["2031", "2032"]).delete()


def test_last_years_receipts_can_still_be_verified(tmp_path: Path, settings_of: Any) -> None:
    ReceiptKey.objects.filter(label__in=["2041", "2042"]).delete()
    settings_of(RECEIPT_KEYS=tmp_path / "receipt")
    keys.publish_receipt_key(date(2041, 5, 1))
    label, old = keys.receipt_key()
    keys.publish_receipt_key(date(2042, 1, 1))
    assert keys.receipt_key()[0] == "2042"
    kept = ReceiptKey.objects.get(label=label)
    assert bytes(kept.public) == old.public_key().public_bytes_raw()
    ReceiptKey.objects.filter(label__in=["2041", "2042"]).delete()


# --- Owners -------------------------------------------------------------------------------------


def test_a_person_gets_one_key_however_often_it_is_asked_for(born: Any) -> None:
    born("web")
    who = owner()
    before = keys.owner_seed(who)
    keys.ensure_owner(who, now())
    assert keys.owner_seed(who) == before


def test_the_table_holds_no_owner_key_in_clear(born: Any) -> None:
    born("web")
    who = owner()
    row = OwnerKey.objects.get(pk=who)
    assert row.wrapped is not None
    assert keys.owner_seed(who) not in bytes(row.wrapped)
    assert bytes(row.public) == crypto.public_half(keys.owner_seed(who))


@pytest.mark.parametrize("name", ["intake", "gpu", "upkeep"])
def test_no_worker_unwraps_an_owner_key(born: Any, name: str) -> None:
    born("web")
    who = owner()
    born(name)
    with pytest.raises(KeyNotHeld):
        keys.owner_seed(who)


@pytest.mark.parametrize("had_key", [True, False])
def test_after_an_erasure_nobody_gets_a_key_again(born: Any, had_key: bool) -> None:
    born("web")
    who = owner() if had_key else person()
    erasure.request(who, now())
    with pytest.raises(OwnerErased):
        keys.ensure_owner(who, now())
    OwnerKey.objects.filter(pk=who).delete()
    with pytest.raises(OwnerErased):
        keys.ensure_owner(who, now())
    with pytest.raises(KeyDestroyed):
        keys.owner_seed(who)


def test_a_stranger_cannot_be_held_or_sealed_to() -> None:
    for ask in (keys.hold_owner, keys.owner_public):
        with pytest.raises(OwnerErased):
            ask(uuid.uuid4())
