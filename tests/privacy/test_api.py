"""The privacy API, called in this process: each view parses, makes one domain call and answers."""

import hashlib
import time
import uuid
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from rest_framework.test import APIClient

from accounts.models import Region, User
from accounts.sessions import SessionStore
from portraits.models import Style
from privacy import consent, erasure
from privacy.models import ConsentDocument, ConsentServing, Erasure, OwnerKey
from privacy.retention import Kind
from tests.portraits.making import NAME, consenting, now, person, set_with_photo, written

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def web(born: Any) -> None:
    """Everything here runs as the web."""


def caller(who: uuid.UUID | None = None, *, confirmed: float | None = None) -> APIClient:
    """A client, signed in as a person who confirmed their password so many seconds ago."""
    client = APIClient(HTTP_HOST="localhost")
    if who is not None:
        user = User.objects.get(pk=who)
        session = SessionStore()
        session[SESSION_KEY] = str(who)
        session[BACKEND_SESSION_KEY] = BACKEND
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        if confirmed is not None:
            record = {"method": "password", "at": time.time() - confirmed, "reauthenticated": True}
            session[AUTHENTICATION_METHODS_SESSION_KEY] = [record]
        session.save()
        client.credentials(HTTP_X_SESSION_TOKEN=session.session_key)
    return client


def code(response: Any) -> str:
    return str(response.json()["errors"][0]["code"])


def shown(client: APIClient, purpose: str = "portrait-generation") -> str:
    """The id of a text that somebody has just fetched."""
    asked = {"purpose": purpose, "language": "en"}
    (found,) = client.get("/v1/consents/documents", asked).json()
    return str(found["id"])


def test_the_facts_are_public() -> None:
    facts = caller().get("/v1/privacy/facts").json()
    assert facts["training"]["on_your_photos"] is False
    assert {row["what"] for row in facts["how_long"]} == {kind.name.lower() for kind in Kind}


def test_the_keys_that_verify_receipts_are_public() -> None:
    published = caller().get("/.well-known/sitter-keys.json").json()["ed25519"]
    assert str(now().year) in published


def test_the_texts_are_public_and_chosen_by_purpose_language_and_region() -> None:
    found = caller().get("/v1/consents/documents?language=de&purpose=reference-keeping").json()
    assert {(row["language"], row["purpose"]) for row in found} == {("de", "reference-keeping")}
    assert {row["region"] for row in found} == set(Region.values)
    (one,) = (
        caller()
        .get("/v1/consents/documents?language=en&purpose=portrait-generation&region=us_il")
        .json()
    )
    assert (one["region"], one["version"], one["valid_days"]) == ("us_il", 2, 365)
    assert hashlib.sha256(one["text"].encode()).hexdigest() == one["sha256"]
    refused = caller().get("/v1/consents/documents?purpose=training")
    assert (refused.status_code, code(refused)) == (400, "invalid_choice")


def test_somebody_signed_in_is_shown_the_texts_of_their_region_and_that_is_noted() -> None:
    who = person()
    found = caller(who).get("/v1/consents/documents?language=en").json()
    assert [(row["purpose"], row["region"]) for row in found] == [
        ("portrait-generation", "other"),
        ("reference-keeping", "other"),
    ]
    noted = ConsentServing.objects.filter(subject_id=who)
    assert {str(row.document_id) for row in noted} == {row["id"] for row in found}
    foreign = caller(who).get("/v1/consents/documents?language=en&region=us_il").json()
    assert {row["region"] for row in foreign} == {"us_il"}
    assert noted.count() == 2
    body = {"document": foreign[0]["id"], "typed_name": NAME, "agree": True}
    refused = caller(who).post("/v1/consents", body, format="json")
    assert (refused.status_code, code(refused)) == (422, "document_of_another_region")


def test_a_text_that_a_stranger_read_was_not_shown_to_anybody() -> None:
    before = ConsentServing.objects.count()
    (found,) = (
        caller()
        .get("/v1/consents/documents?language=en&purpose=portrait-generation&region=other")
        .json()
    )
    assert ConsentServing.objects.count() == before
    body = {"document": found["id"], "typed_name": NAME, "agree": True}
    refused = caller(person()).post("/v1/consents", body, format="json")
    assert (refused.status_code, code(refused)) == (409, "not_shown")


def test_a_text_is_signed_listed_and_taken_back() -> None:
    who = caller(person())
    document = shown(who)
    body = {"document": document, "typed_name": NAME, "agree": True}
    made = who.post("/v1/consents", body, format="json")
    assert (made.status_code, made.json()["verb"]) == (201, "granted")
    assert made.json()["shown_at"] <= made.json()["at"] < made.json()["expires_at"]
    silent = who.post("/v1/consents/withdrawal", {}, format="json")
    assert silent.json()["errors"] == [
        {"code": "required", "detail": "This field is required.", "attr": "portraits"}
    ]
    taken = who.post("/v1/consents/withdrawal", {"portraits": "erase"}, format="json")
    assert taken.json()["verb"] == "withdrawn"
    listed = [row["verb"] for row in who.get("/v1/consents").json()]
    assert listed == ["withdrawn", "granted"]


def test_keeping_is_signed_and_taken_back_by_itself() -> None:
    who = caller(person())
    for purpose in ("portrait-generation", "reference-keeping"):
        body = {"document": shown(who, purpose), "typed_name": NAME, "agree": True}
        assert who.post("/v1/consents", body, format="json").status_code == 201
    assert who.post("/v1/reference-sets", {"keep_hours": 5}, format="json").status_code == 201
    body = {"purpose": "reference-keeping"}
    assert who.post("/v1/consents/withdrawal", body, format="json").status_code == 200
    refused = who.post("/v1/reference-sets", {"keep_hours": 5}, format="json")
    assert (refused.status_code, code(refused)) == (403, "consent_missing")
    assert refused.json()["errors"][0]["attr"] == "keep"
    assert who.get("/v1/reference-sets").json() == []
    assert who.post("/v1/reference-sets", {}, format="json").status_code == 201


def test_one_call_signs_one_text() -> None:
    who = caller(person())
    both = [shown(who), shown(who, "reference-keeping")]
    for document in (both, "all", None):
        body = {"document": document, "typed_name": NAME, "agree": True}
        assert who.post("/v1/consents", body, format="json").status_code == 400
    body = {"documents": both, "document": both[0], "typed_name": NAME, "agree": True}
    assert who.post("/v1/consents", body, format="json").status_code == 201
    (line,) = who.get("/v1/consents").json()
    assert line["document"] == both[0]


def test_a_text_that_was_replaced_says_fetch_the_newest() -> None:
    who = caller(person())
    old = ConsentDocument.objects.filter(version=1, language="en").exclude(retired_at=None)[0]
    body = {"document": str(old.pk), "typed_name": NAME, "agree": True}
    refused = who.post("/v1/consents", body, format="json")
    assert (refused.status_code, code(refused)) == (422, "document_unknown")
    assert "newest" in refused.json()["errors"][0]["detail"]


@pytest.mark.parametrize("missing", [None, "leave out"])
def test_a_job_without_photos_says_when_it_needs_some(missing: str | None) -> None:
    body = {"items": [{"style": "pencil"}]} | ({} if missing else {"reference_set": None})
    refused = caller(person()).post(
        "/v1/jobs", body, format="json", HTTP_IDEMPOTENCY_KEY=uuid.uuid4().hex
    )
    assert (refused.status_code, code(refused)) == (422, "reference_set_required")


def test_a_job_of_words_alone_needs_no_consent() -> None:
    name = f"w{uuid.uuid4().hex[:12]}"
    Style.objects.create(
        slug=name, name=name, engine=name, recipe={"style": name, "references": 0}, description=""
    )
    made = caller(person()).post(
        "/v1/jobs", {"items": [{"style": name}]}, format="json", HTTP_IDEMPOTENCY_KEY="k"
    )
    assert (made.status_code, made.json()["reference_set"]) == (202, None)


def test_a_silent_or_missing_yes_is_no_consent() -> None:
    who = caller(person())
    body = {"document": str(uuid.uuid4()), "typed_name": NAME, "agree": False}
    refused = who.post("/v1/consents", body, format="json")
    assert (refused.status_code, code(refused)) == (400, "not_agreed")
    unknown = who.post("/v1/consents", {**body, "agree": True}, format="json")
    assert (unknown.status_code, code(unknown)) == (422, "document_unknown")


def test_holdings_name_everything_with_its_end() -> None:
    who = consenting()
    set_with_photo(who)
    written(Kind.PORTRAIT, who, b"a portrait")
    held = caller(who).get("/v1/me/holdings").json()
    assert {row["kind"] for row in held["sealed"]} == {"reference", "portrait"}
    assert all(row["expires_at"] for row in held["sealed"])
    assert held["account"]["id"] == str(who)
    assert len(held["consents"]) == 1
    assert "the e-mail address" not in str(held["tables"])  # signed up without allauth


@pytest.mark.parametrize("confirmed", [None, 301.0])
def test_erasing_needs_a_password_that_was_given_just_now(confirmed: float | None) -> None:
    refused = caller(person(), confirmed=confirmed).post("/v1/me/erasure")
    assert (refused.status_code, code(refused)) == (403, "reauthentication_required")


def test_an_erasure_begins_and_its_receipt_needs_no_account() -> None:
    who = consenting()
    client = caller(who, confirmed=10)
    begun = client.post("/v1/me/erasure")
    assert (begun.status_code, begun.json()["stage"]) == (202, "shredded")
    found = caller().get(f"/v1/erasures/{begun.json()['id']}")
    assert found.json()["receipt"] is None
    assert code(client.get("/v1/me/holdings")) == "session_ended"
    assert caller().get(f"/v1/erasures/{uuid.uuid4()}").status_code == 404


def test_everything_that_shows_the_person_can_go_alone() -> None:
    who = consenting()
    set_with_photo(who)
    body = {"scope": "biometric"}
    refused = caller(who).post("/v1/me/erasure", body, format="json")
    assert (refused.status_code, code(refused)) == (403, "reauthentication_required")
    client = caller(who, confirmed=10)
    begun = client.post("/v1/me/erasure", body, format="json")
    assert (begun.status_code, begun.json()["scope"]) == (202, "biometric")
    again = client.post("/v1/me/erasure", body, format="json")
    assert again.json()["id"] == begun.json()["id"]
    assert client.get("/v1/me/holdings").json()["sealed"] == []


@pytest.mark.parametrize("body", [{"scope": "portrait"}, {"scope": None}, [], {"scope": ["a"]}])
def test_only_the_account_or_the_face_can_be_erased_as_a_whole(body: Any) -> None:
    who = consenting()
    refused = caller(who, confirmed=10).post("/v1/me/erasure", body, format="json")
    assert refused.status_code == 400
    assert not Erasure.objects.filter(subject_id=who).exists()


def test_without_a_session_there_is_nothing() -> None:
    for path in ("/v1/consents", "/v1/me/holdings"):
        refused = caller().get(path)
        assert (refused.status_code, code(refused)) == (401, "not_authenticated")


def test_rows_are_printed_by_id_and_never_by_name() -> None:
    who = consenting()
    entry = consent.history(who)[0]
    begun = erasure.request(who, now())
    shown = [str(entry), str(entry.document), str(entry.consentevidence), str(begun)]
    assert not any(NAME in text for text in shown)
    assert str(OwnerKey.objects.get(owner_id=who)) == f"key of {who}"
    assert Erasure.objects.get(pk=begun.pk).subject_id == who
