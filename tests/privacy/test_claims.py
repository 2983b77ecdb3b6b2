""" "This is my face": a report is sealed, counted, answered in time, and asks for no picture."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from privacy import claims, retention, terms
from privacy.errors import KeyNotHeld, SealBroken, TooManyClaims
from privacy.models import AuditEvent, FaceClaim
from privacy.retention import Term
from tests.portraits.making import now

WORDS = "My neighbour made portraits of me. Ähnlich bin ich mir auf ihnen auch."


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture
def address() -> str:
    """Somebody's network, which no other test counts."""
    return f"2001:db8::{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}"


@pytest.fixture
def day() -> datetime:
    """A day that nobody else has reported on, so that its count starts at none."""
    return datetime(2100, 1, 1, tzinfo=UTC) + timedelta(days=uuid.uuid4().int % 300_000)


def received(at: datetime | None = None) -> FaceClaim:
    made = claims.receive("ada@example.org", WORDS, "de", at or now())
    return FaceClaim.objects.get(pk=made.pk)


# --- What is written ----------------------------------------------------------------------------


def test_the_clock_is_two_days_and_the_report_is_kept_for_its_term() -> None:
    at = now()
    claim = received(at)
    assert claim.due_at - at == retention.FACE_CLAIM_ANSWER == timedelta(hours=48)
    assert claim.expires_at - at == retention.term(Term.FACE_CLAIM)
    assert (claim.state, claim.language) == (FaceClaim.State.OPEN, "de")
    events = AuditEvent.objects.filter(object_id=claim.pk)
    assert [(event.verb, event.subject_id) for event in events] == [
        (AuditEvent.Verb.FACE_CLAIMED, None)
    ]


def test_no_column_holds_what_was_written() -> None:
    secret = f"{uuid.uuid4().hex}@example.org"
    claim = claims.receive(secret, f"Words of {secret}", "en", now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT c::text FROM privacy_faceclaim c WHERE id = %s", [claim.pk])
        (row,) = cursor.fetchone()
    assert len(row) > 2000
    assert secret not in row
    assert secret.encode().hex() not in row
    assert secret not in str(claim)


def test_the_web_opens_it_for_support_and_that_is_on_record() -> None:
    claim = received()
    opened = claims.open_words(claim)
    assert opened.contact.reveal() == b"ada@example.org"
    assert opened.words.reveal().decode() == WORDS
    assert "ada" not in repr(opened)
    read = AuditEvent.objects.get(object_id=claim.pk, verb=AuditEvent.Verb.BLOB_READ)
    assert read.actor == AuditEvent.Actor.WEB


@pytest.mark.parametrize("other", ["intake", "gpu", "upkeep"])
def test_nobody_else_opens_it(born: Any, other: str) -> None:
    claim = received()
    born(other)
    with pytest.raises(KeyNotHeld):
        claims.open_words(claim)


def test_it_opens_in_its_own_place_only() -> None:
    one, other = received(), received()
    one.capsule, one.body = other.capsule, other.body
    with pytest.raises(SealBroken):
        claims.open_words(one)
    assert claims.KIND not in {kind.value for kind in retention.Kind}


# --- The clock ----------------------------------------------------------------------------------


def test_it_is_closed_once() -> None:
    claim, at = received(), now()
    assert claims.close(claim.pk, at)
    assert not claims.close(claim.pk, at + timedelta(hours=1))
    claim.refresh_from_db()
    assert (claim.state, claim.closed_at) == (FaceClaim.State.CLOSED, at)
    assert not claims.close(uuid.uuid4(), at)


def test_what_nobody_answered_in_time_is_counted() -> None:
    claim = received(datetime(2005, 5, 5, tzinfo=UTC))
    before = claims.overdue(claim.due_at - timedelta(seconds=1))
    assert claims.overdue(claim.due_at) == before + 1
    claims.close(claim.pk, now())
    assert claims.overdue(claim.due_at) == before


def test_it_ends_with_its_term(born: Any) -> None:
    claim = received(datetime(2010, 1, 1, tzinfo=UTC))
    assert claims.find(claim.pk, claim.expires_at - timedelta(seconds=1)) == claim
    assert claims.find(claim.pk, claim.expires_at) is None
    born("upkeep")
    terms.end(claim.expires_at - timedelta(seconds=1), only=("face_claims",))
    assert FaceClaim.objects.filter(pk=claim.pk).exists()
    terms.end(claim.expires_at, only=("face_claims",))
    assert not FaceClaim.objects.filter(pk=claim.pk).exists()


# --- The limits ---------------------------------------------------------------------------------


def test_one_address_reports_so_often_and_then_is_told_when(address: str) -> None:
    at = datetime(2031, 3, 3, 12, 20, tzinfo=UTC)
    for _ in range(claims.PER_ADDRESS):
        claims.admit(address, at)
    with pytest.raises(TooManyClaims) as refused:
        claims.admit(address, at)
    assert refused.value.retry_after == 12 * 60
    claims.admit(address, at + timedelta(minutes=12))
    claims.admit(f"{address}9", at)


def test_a_day_has_a_limit_whoever_reports(monkeypatch: pytest.MonkeyPatch, day: datetime) -> None:
    monkeypatch.setattr(claims, "PER_DAY", 3)
    for number in range(3):
        claims.admit(f"2001:db8::{number}", day)
    with pytest.raises(TooManyClaims) as refused:
        claims.admit("2001:db8::9", day)
    assert refused.value.retry_after == 8 * 3600
    claims.admit("2001:db8::9", day + timedelta(hours=8))


# --- Over HTTP ----------------------------------------------------------------------------------


def post(address: str, **changed: Any) -> Any:
    body = {"contact": "ada@example.org", "words": WORDS, "language": "en"} | changed
    client = APIClient(HTTP_HOST="localhost", REMOTE_ADDR=address)
    return client.post("/v1/face-claims", body, format="json")


def test_a_report_needs_no_account_and_tells_its_clock(address: str) -> None:
    made = post(address)
    assert made.status_code == 202
    assert set(made.json()) == {"id", "state", "due_at"}
    shown = APIClient(HTTP_HOST="localhost").get(f"/v1/face-claims/{made.json()['id']}")
    assert shown.json() == made.json()
    assert WORDS not in shown.content.decode()
    claims.close(uuid.UUID(made.json()["id"]), now())
    again = APIClient(HTTP_HOST="localhost").get(f"/v1/face-claims/{made.json()['id']}")
    assert again.json()["state"] == "closed"


def test_nobody_learns_of_a_report_that_does_not_exist() -> None:
    missing = APIClient(HTTP_HOST="localhost").get(f"/v1/face-claims/{uuid.uuid4()}")
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("change", "attr", "code"),
    [
        ({"contact": "nobody"}, "contact", "invalid"),
        ({"contact": f"{'a' * 60}@{'b' * 63}.{'c' * 63}.{'d' * 63}.org"}, "contact", "max_length"),
        ({"words": ""}, "words", "blank"),
        ({"words": "x" * 2001}, "words", "max_length"),
        ({"words": "a\x00b"}, "words", "null_characters_not_allowed"),
        ({"language": "fr"}, "language", "invalid_choice"),
    ],
)
def test_a_report_that_cannot_be_answered_is_refused(
    address: str, change: dict[str, str], attr: str, code: str
) -> None:
    before = FaceClaim.objects.count()
    for _ in range(claims.PER_ADDRESS + 1):
        refused = post(address, **change)
        assert refused.status_code == 400
        assert [(error["attr"], error["code"]) for error in refused.json()["errors"]] == [
            (attr, code)
        ]
    assert FaceClaim.objects.count() == before


def test_no_picture_is_taken(address: str) -> None:
    client = APIClient(HTTP_HOST="localhost", REMOTE_ADDR=address)
    sent = client.post("/v1/face-claims", b"\xff\xd8\xff", content_type="image/jpeg")
    assert (sent.status_code, sent.json()["errors"][0]["code"]) == (415, "unsupported_media_type")


def test_too_many_get_the_one_error_shape_and_a_time(address: str) -> None:
    for _ in range(claims.PER_ADDRESS):
        assert post(address).status_code == 202
    refused = post(address)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    (error,) = json.loads(refused.content)["errors"]
    assert (error["code"], error["attr"]) == ("too_many_claims", None)
    assert error["detail"].endswith(".")
