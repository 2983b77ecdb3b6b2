"""The law on one screen: what it says is what is published, and what is done."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import policy, retention
from privacy.inventory import TABLES, End
from privacy.retention import DEADLINES, Kind

NOW = datetime(2030, 2, 28, 12, tzinfo=UTC)
MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2060, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("kind", "default", "cap"),
    [
        (Kind.UPLOAD, timedelta(minutes=10), timedelta(minutes=10)),
        (Kind.REFERENCE, timedelta(hours=24), timedelta(days=7)),
        (Kind.PORTRAIT, timedelta(days=30), timedelta(days=365)),
        (Kind.RENDITION, timedelta(days=30), timedelta(days=365)),
    ],
)
def test_the_terms_are_those_of_the_signed_text(
    kind: Kind, default: timedelta, cap: timedelta
) -> None:
    assert (DEADLINES[kind].default, DEADLINES[kind].cap) == (default, cap)
    assert retention.deadline(kind, NOW) == NOW + default


@given(st.sampled_from(list(Kind)), MOMENTS)
def test_no_wish_outlasts_the_cap_and_an_earlier_one_is_kept(kind: Kind, wanted: datetime) -> None:
    end = retention.deadline(kind, NOW, wanted)
    assert end <= NOW + DEADLINES[kind].cap
    assert end == min(wanted, NOW + DEADLINES[kind].cap)


def test_every_kind_has_a_term_and_a_reason() -> None:
    assert set(DEADLINES) == set(Kind)
    for rule in DEADLINES.values():
        assert timedelta(0) < rule.default <= rule.cap
        assert rule.why.endswith(".")


def test_the_numbers_of_kinds_never_change() -> None:
    assert {kind.name: kind.value for kind in Kind} == {
        "UPLOAD": 1,
        "REFERENCE": 2,
        "PORTRAIT": 3,
        "RENDITION": 4,
        "PROMPT": 5,
        "SOURCE": 6,
        "CANARY": 8,
        "EXPORT": 9,
        "CHECK": 11,
    }


def test_no_photo_of_a_face_is_kept_for_a_year_and_no_picture_for_three() -> None:
    for kind in (Kind.UPLOAD, Kind.REFERENCE, Kind.SOURCE):
        assert DEADLINES[kind].cap <= timedelta(days=7)
    assert max(rule.cap for rule in DEADLINES.values()) <= timedelta(days=365)


def test_what_is_published_is_what_is_done() -> None:
    published = {row["what"]: row for row in policy.facts()["how_long"]}
    assert set(published) == {kind.name.lower() for kind in Kind}
    for kind, rule in DEADLINES.items():
        row = published[kind.name.lower()]
        assert row["default_seconds"] == rule.default.total_seconds()
        assert row["longest_seconds"] == rule.cap.total_seconds()
        assert row["why"] == rule.why


def test_it_is_published_what_outlives_an_erasure() -> None:
    kept = [row["what"] for row in policy.facts()["kept_after_erasure"]]
    assert kept == [table.holds for table in TABLES if table.end is End.OUTLIVES]
    assert len(kept) == 10


def test_the_four_questions_are_answered() -> None:
    facts = policy.facts()
    assert facts["training"]["on_your_photos"] is False
    assert facts["training"]["face_templates"] is False
    assert facts["who_sees"]["outside"] == []
    assert facts["delete"]["everything"] == "POST /v1/me/erasure"
    assert facts["idempotency_key_seconds"] == 24 * 3600
