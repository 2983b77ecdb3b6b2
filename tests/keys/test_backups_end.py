"""A backup that outlives an erasure: it opens before the horizon, and nothing of it behind it."""

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from privacy import closing, crypto, epochs, erasure, keys, keystores, rotation
from privacy.crypto import Context, Recipient
from privacy.errors import PrivacyError
from privacy.keyfiles import KeyFolder
from privacy.models import Blob, Capsule, FleetKey, OwnerKey, RootEpoch
from privacy.retention import ROOT_TURN, ROOT_WAIT, Kind, Term, term
from tests.figures import figure
from tests.keys.people import body_of, sitter, written

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = 10
FLEET = (Kind.UPLOAD, Kind.REFERENCE, Kind.PROMPT, Kind.SOURCE)
OWNED = (Kind.PORTRAIT, Kind.RENDITION, Kind.EXPORT)


@dataclass(frozen=True)
class Kept:
    """What a backup holds of one object: both of its rows, its owner's row, its body."""

    blob: Blob
    capsule: bytes
    owner: OwnerKey
    body: bytes

    def opens(self) -> bool:
        """With whatever keys there are now, by the formats alone, past all our checks."""
        place = Context(
            self.blob.kind, Recipient(self.blob.recipient), self.blob.owner_id, self.blob.pk
        )
        return any(unsealed(self.capsule, self.body, seed, place) for seed in seeds_for(self.owner))


def seeds_for(owner: OwnerKey) -> list[bytes]:
    """Every private half that anybody could get at: fleet seeds, and the owner's by any root."""
    fleet, roots = keystores.of("fleet"), keystores.of("root")
    found = [fleet.read(label) for label in fleet.labels()]
    for label in roots.labels():
        try:
            found.append(crypto.unwrap(bytes(owner.wrapped or b""), roots.read(label), owner.pk))
        except PrivacyError:
            continue
    return found


def unsealed(capsule: bytes, body: bytes, seed: bytes, place: Context) -> bool:
    try:
        return bool(crypto.unseal(crypto.stored(capsule, body), seed, place).reveal())
    except PrivacyError:
        return False


def backup(people: list[uuid.UUID]) -> list[Kept]:
    """The rows and the bodies, as a dump and a copy of the bucket would hold them."""
    return [
        Kept(
            blob,
            bytes(Capsule.objects.get(blob=blob).enc),
            OwnerKey.objects.get(pk=blob.owner_id),
            body_of(blob),
        )
        for blob in Blob.objects.filter(owner_id__in=people)
    ]


def a_day(as_role: Any, settings_of: Any, folders: dict[str, Path], now: datetime) -> None:
    """What beat has done by the end of a day."""
    as_role("intake")
    keys.publish_fleet_keys(now.date())
    keys.destroy_old_fleet_keys(now.date())
    as_role("keeper")
    rotation.turn(now)
    # The stranger with the backup gets both sorts of keys.
    settings_of(FLEET_KEYS=str(folders["FLEET_KEYS"]))


@pytest.mark.parametrize("age", [0, 13], ids=["a new root", "a root at the end of its turn"])
def test_a_restored_backup_opens_nothing_behind_the_horizon(
    as_role: Any, settings_of: Any, folders: dict[str, Path], age: int
) -> None:
    a_day(as_role, settings_of, folders, NOW - age * DAY)
    a_day(as_role, settings_of, folders, NOW)
    as_role("web")
    people = [sitter(NOW) for _ in range(PEOPLE)]
    for who in people:
        for kind in (*FLEET, *OWNED):
            written(kind, who, os.urandom(64), NOW)
    kept = backup(people)
    assert len(kept) == PEOPLE * len((*FLEET, *OWNED))
    ends = [closing.unopenable_by([who], NOW)[who] for who in people]
    for who in people:
        erasure.request(who, NOW)
    horizon = max(ends)
    assert horizon - NOW <= timedelta(days=35)
    a_day(as_role, settings_of, folders, NOW + DAY)
    assert sum(item.opens() for item in kept) == len(kept), "before it, all of it opens"
    day = NOW + DAY
    opened_last = day
    while day < horizon:
        day += DAY
        a_day(as_role, settings_of, folders, day)
        if any(item.opens() for item in kept):
            opened_last = day
    assert day - horizon < DAY
    assert sum(item.opens() for item in kept) == 0
    assert opened_last < horizon
    if age == 0:
        days = (horizon - NOW) / DAY
        figure(
            "E-09",
            value=0,
            unit=f"objects; horizon {days:.0f} days",
            n=len(kept),
            holds=days <= 35,
            conditions="rows and bodies copied, 10 people erased, the clock advanced day by day"
            " through turns of the roots and ends of fleet seeds; every key then alive was tried"
            f" on every object; all opened on the first day, the last on day"
            f" {(opened_last - NOW).days}",
        )


# --- The promise --------------------------------------------------------------------------------


def test_the_promise_is_the_end_of_the_root(born: Any) -> None:
    born("web")
    now = datetime.now(UTC)
    who = sitter(now)
    made = RootEpoch.objects.get().created_at
    assert closing.unopenable_by([who], now)[who] == made + ROOT_TURN + ROOT_WAIT + epochs.LATE
    assert term(Term.ROOT_EPOCH) == ROOT_TURN + ROOT_WAIT + epochs.LATE


def test_a_fleet_seed_that_ends_later_moves_the_promise(
    as_role: Any, folders: dict[str, Path]
) -> None:
    as_role("keeper")
    keys.make_root_key(NOW - ROOT_TURN)
    as_role("web")
    who = sitter(NOW)
    rotation_at = NOW - timedelta(days=6)
    RootEpoch.objects.update(retired_at=rotation_at)
    assert closing.unopenable_by([who], NOW)[who] == rotation_at + ROOT_WAIT + epochs.LATE
    as_role("intake")
    keys.publish_fleet_keys(NOW.date())
    newest = FleetKey.objects.order_by("-label")[0].label
    assert newest == "2031-03-03"
    seed_ends = datetime(2031, 3, 3, tzinfo=UTC) + term(Term.FLEET_SEED)
    assert closing.unopenable_by([who], NOW)[who] == seed_ends + epochs.LATE
    # The day before the seed is gone.
    keys.destroy_old_fleet_keys(date(2031, 3, 3) + term(Term.FLEET_SEED))
    assert not KeyFolder(folders["FLEET_KEYS"], "fleet").has(newest)


@pytest.mark.parametrize("age", [0, 1, 13, 14, 21, 60, 400])
@pytest.mark.parametrize("retired", [None, 0, 6, 7, 30])
def test_the_promise_is_never_past_nor_more_than_35_days_ahead(
    as_role: Any, age: int, retired: int | None
) -> None:
    """A keeper that stood still for a year makes its turn now: the promise counts from there."""
    as_role("keeper")
    keys.make_root_key(NOW - age * DAY)
    as_role("intake")
    keys.publish_fleet_keys(NOW.date())
    as_role("web")
    who = sitter(NOW)
    if retired is not None:
        RootEpoch.objects.update(retired_at=NOW - retired * DAY)
    end = closing.unopenable_by([who], NOW)[who]
    assert NOW <= end <= NOW + timedelta(days=35)


def test_who_never_had_a_key_has_nothing_to_wait_for(as_role: Any) -> None:
    as_role("web")
    assert keys.unopenable_under("", NOW) == NOW
