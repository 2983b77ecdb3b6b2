"""The courier's keys for what Apple gave: one a year, and each goes with the last that it opens."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from privacy import checks, crypto, keys, keystores
from privacy.errors import KeyFileRefused
from privacy.models import GrantKey, SignInGrant

DAY = date(2031, 3, 1)
NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _as_courier(as_role: Any, tmp_path: Path, settings_of: Any) -> Iterator[None]:
    as_role("courier")
    settings_of(GRANT_KEYS=str(tmp_path / "grant"))
    yield
    GrantKey.objects.all().delete()
    SignInGrant.objects.all().delete()


def sealed_to(label: str) -> SignInGrant:
    """A token that only the seed of this year opens."""
    return SignInGrant.objects.create(
        subject_id=uuid.uuid4(), provider="apple", client="app", state=SignInGrant.State.HELD,
        capsule=b"", body=b"", key_label=label, created_at=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(("role", "errors"), [("courier", 0), ("web", 1), ("upkeep", 1)])
def test_nobody_else_may_be_given_what_signs_in_our_name(
    role: str, errors: int, settings_of: Any
) -> None:
    settings_of(ROLE=role, WEBHOOK_KEYS=["whsec_of_the_tests"])
    assert [error.id for error in checks.check_webhook(None)] == ["privacy.E007"] * errors


def test_before_the_first_one_is_born_nobody_seals_anything() -> None:
    assert keys.grant_public() is None


def test_what_is_published_is_the_public_half_of_what_lies_there() -> None:
    keys.publish_grant_key(DAY)
    keys.publish_grant_key(DAY)
    assert keystores.of("grant").labels() == ["2031"]
    assert keys.grant_public() == ("2031", crypto.public_half(keys.grant_seed("2031")))


def test_another_key_in_its_place_stops_the_start() -> None:
    keys.publish_grant_key(DAY)
    keys.check_held(NOW)
    store = keystores.of("grant")
    store.remove("2031")
    store.create("2031", crypto.new_seed())
    with pytest.raises(KeyFileRefused, match="2031 in this folder is not the one"):
        keys.check_held(NOW)


def test_a_seed_stays_while_a_token_needs_it_and_goes_with_the_last() -> None:
    keys.publish_grant_key(DAY)
    token = sealed_to("2031")
    next_year = DAY.replace(year=2032)
    keys.publish_grant_key(next_year)
    assert keystores.of("grant").labels() == ["2031", "2032"]
    token.delete()
    keys.publish_grant_key(next_year)
    assert keystores.of("grant").labels() == ["2032"]
