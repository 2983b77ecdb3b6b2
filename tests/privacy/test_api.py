"""The privacy API, called in this process: each view parses, makes one domain call and answers."""

import time
import uuid
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from rest_framework.test import APIClient

from accounts.models import User
from accounts.sessions import SessionStore
from privacy import consent, erasure
from privacy.models import ConsentDocument, Erasure, OwnerKey
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


def test_the_facts_are_public() -> None:
    facts = caller().get("/v1/privacy/facts").json()
    assert facts["training"]["on_your_photos"] is False
    assert {row["what"] for row in facts["how_long"]} == {kind.name.lower() for kind in Kind}


def test_the_keys_that_verify_receipts_are_public() -> None:
    published = caller().get("/.well-known/sitter-keys.json").json()["ed25519"]
    assert str(now().year) in published


def test_the_texts_are_public_and_chosen_by_language() -> None:
    found = caller().get("/v1/consents/documents?language=de").json()
    assert [row["language"] for row in found] == ["de"]
    assert caller().get("/v1/consents/documents?purpose=training").json() == []


def test_a_text_is_signed_listed_and_taken_back() -> None:
    who = caller(person())
    document = str(ConsentDocument.objects.filter(language="en", retired_at=None).get().pk)
    body = {"document": document, "typed_name": NAME, "agree": True}
    made = who.post("/v1/consents", body, format="json")
    assert (made.status_code, made.json()["verb"]) == (201, "granted")
    taken = who.post("/v1/consents/withdrawal", {"portraits": "erase"}, format="json")
    assert taken.json()["verb"] == "withdrawn"
    listed = [row["verb"] for row in who.get("/v1/consents").json()]
    assert listed == ["withdrawn", "granted"]


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
