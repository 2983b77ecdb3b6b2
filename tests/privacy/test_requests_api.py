"""Requests to support over HTTP: asking, confirming, looking; nobody else's, and no picture."""

import time
import uuid
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from rest_framework.test import APIClient

from accounts.models import User
from accounts.sessions import SessionStore
from privacy.desk import answers, incoming
from privacy.desk.answers import Answer, Ending
from privacy.models import Case
from tests.portraits.making import consenting, now
from tests.privacy import mailserver
from tests.privacy.desking import WORDS, Kind, asked, noted, taken

BODY = {"kind": "access", "words": WORDS, "language": "de"}


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def client(who: uuid.UUID, *, fresh: bool = False) -> APIClient:
    """Signed in; `fresh`: having just confirmed who they are."""
    user, session = User.objects.get(pk=who), SessionStore()
    session[SESSION_KEY] = str(who)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    if fresh:
        proof = {"method": "password", "at": time.time(), "reauthenticated": True}
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [proof]
    session.save()
    return APIClient(HTTP_HOST="localhost", HTTP_X_SESSION_TOKEN=session.session_key)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_request_is_acknowledged_with_its_clocks_and_not_its_words(fresh: bool) -> None:
    made = client(consenting(), fresh=fresh).post("/v1/me/requests", BODY, format="json")
    assert made.status_code == 202
    said = made.json()
    assert (said["kind"], said["state"], said["receipt"]) == ("access", "open", None)
    assert said["identity"] == ("proven" if fresh else "none")
    assert said["first_answer_by"] < said["due_at"]
    assert WORDS not in made.content.decode()
    shown = APIClient(HTTP_HOST="localhost").get(f"/v1/requests/{said['id']}")
    assert shown.json() == said


def test_a_list_holds_ones_own_and_nobody_elses() -> None:
    who = consenting()
    mine, _ = asked(Kind.ABUSE, who), asked(Kind.ABUSE)
    listed = client(who).get("/v1/me/requests").json()
    assert [row["id"] for row in listed] == [str(mine.pk)]
    assert APIClient(HTTP_HOST="localhost").get("/v1/me/requests").status_code == 401


def test_confirming_takes_a_fresh_proof_and_ones_own_request() -> None:
    who = consenting()
    case = noted(Kind.DELETION, str(who))
    address = f"/v1/me/requests/{case.pk}/proof"
    assert code(client(who).post(address)) == (403, "reauthentication_required")
    assert code(client(consenting(), fresh=True).post(address)) == (404, "unknown_request")
    assert client(who, fresh=True).post(address).json()["identity"] == "proven"


def test_a_receipt_has_an_address_of_this_api(settings_of: Any) -> None:
    who = consenting()
    case = asked(Kind.ACCESS, who)
    with mailserver.running(settings_of):
        answers.finish(case.pk, taken(case), Answer(Ending.DO), now())
    shown = client(who).get(f"/v1/requests/{case.pk}").json()
    assert (shown["state"], shown["outcome"]) == ("closed", "done")
    assert client(who).get(shown["receipt"]).status_code == 200
    closed = client(who, fresh=True).post(f"/v1/me/requests/{case.pk}/proof")
    assert code(closed) == (409, "request_closed")


def test_nobody_learns_of_a_request_that_does_not_exist() -> None:
    missing = APIClient(HTTP_HOST="localhost").get(f"/v1/requests/{uuid.uuid4()}")
    assert code(missing) == (404, "unknown_request")


@pytest.mark.parametrize(
    ("change", "attr", "why"),
    [
        ({"kind": "face"}, "kind", "invalid_choice"),
        ({"kind": None}, "kind", "null"),
        ({"words": "x" * 2001}, "words", "max_length"),
        ({"words": 7}, "words", "invalid"),
        ({"language": "fr"}, "language", "invalid_choice"),
    ],
)
def test_what_cannot_be_answered_is_refused(change: dict[str, Any], attr: str, why: str) -> None:
    who = consenting()
    refused = client(who).post("/v1/me/requests", BODY | change, format="json")
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["attr"], error["code"]) == (400, attr, why)
    assert not Case.objects.filter(subject_id=who).exists()


def test_too_many_get_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "PER_PERSON", 1)
    phone = client(consenting())
    assert phone.post("/v1/me/requests", BODY, format="json").status_code == 202
    refused = phone.post("/v1/me/requests", BODY, format="json")
    assert code(refused) == (429, "too_many_requests")
    assert int(refused["Retry-After"]) > 3600
