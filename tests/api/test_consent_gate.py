"""Nothing about a face comes in without a living consent, and it is taken back in one call."""

import uuid
from typing import Any

import pytest

from tests.api.people import STYLE, People, Person, refused
from tests.figures import figure

SOME = uuid.uuid4()
WITHDRAW = {"portraits": "keep"}


def doors(person: Person, set_id: str) -> list[Any]:
    """Every call that brings photos in or starts a generation."""
    path = f"/v1/reference-sets/{set_id}/photos/front"
    body = {"reference_set": set_id, "items": [{"style": STYLE}]}
    return [
        person.http.post("/v1/reference-sets", json={}),
        person.http.post("/v1/reference-sets", json={"keep_hours": 5}),
        person.http.put(path, content=b"x" * 5000, headers={"Content-Type": "image/jpeg"}),
        person.http.post("/v1/jobs", json=body, headers={"Idempotency-Key": "k"}),
    ]


def test_without_a_living_consent_every_door_is_shut(people: People) -> None:
    never, withdrawn, outdated = (people.make(signed=False) for _ in range(3))
    sets = {never.id: str(SOME), outdated.id: str(SOME)}
    assert withdrawn.sign().status_code == 201
    sets[withdrawn.id] = withdrawn.new_set()
    assert withdrawn.http.post("/v1/consents/withdrawal", json=WITHDRAW).status_code == 200
    people.query(
        "INSERT INTO privacy_consentdocument (id, purpose, language, version, text, sha256,"
        " published_at, retired_at) VALUES (%s, 'portrait-generation', 'xx', 1, 'Old', %s,"
        " now(), now())",
        *(SOME, "0" * 64),
    )
    people.query(
        "INSERT INTO privacy_consent (id, subject_id, document_id, verb, act, client, at)"
        " VALUES (gen_random_uuid(), %s, %s, 'granted', 'typed-name', 'tests', now())",
        *(outdated.id, SOME),
    )
    opened, knocked = 0, 0
    for person, code in (
        (never, "consent_missing"),
        (withdrawn, "consent_missing"),
        (outdated, "consent_outdated"),
    ):
        for answer in doors(person, sets[person.id]):
            knocked += 1
            opened += answer.status_code != 403
            sentence = refused(answer, 403, code)
            assert "consent" in sentence
        assert person.holdings()["sealed"] == []
        assert person.http.get("/v1/jobs").json()["results"] == []
    figure(
        "P-01",
        value=opened,
        n=knocked,
        holds=opened == 0,
        conditions="over HTTP; never given, withdrawn, outdated; 0 bytes stored",
    )


@pytest.mark.parametrize(
    ("change", "status", "code", "attr"),
    [
        ({"agree": False}, 400, "not_agreed", "agree"),
        ({"agree": None}, 400, "null", "agree"),
        ({"agree": "maybe"}, 400, "invalid", "agree"),
        ({"typed_name": ""}, 400, "blank", "typed_name"),
        ({"typed_name": "x"}, 400, "min_length", "typed_name"),
        ({"typed_name": "x" * 121}, 400, "max_length", "typed_name"),
        ({"document": "x"}, 400, "invalid", "document"),
        ({"document": str(uuid.uuid4())}, 422, "document_unknown", "document"),
        ({"client": "<script>"}, 400, "invalid", "client"),
    ],
)
def test_a_consent_that_is_no_clear_yes_is_none(
    people: People, change: dict[str, Any], status: int, code: str, attr: str
) -> None:
    person = people.make(signed=False)
    text = person.http.get("/v1/consents/documents", params={"language": "en"}).json()[0]
    body = {"document": text["id"], "typed_name": "Grace Hopper", "agree": True} | change
    refused(person.http.post("/v1/consents", json=body), status, code, attr)
    assert person.http.get("/v1/consents").json() == []


@pytest.mark.parametrize("missing", ["document", "typed_name", "agree"])
def test_nothing_is_agreed_to_by_leaving_it_out(people: People, missing: str) -> None:
    person = people.make(signed=False)
    text = person.http.get("/v1/consents/documents", params={"language": "en"}).json()[0]
    body = {"document": text["id"], "typed_name": "Grace Hopper", "agree": True}
    del body[missing]
    refused(person.http.post("/v1/consents", json=body), 400, "required", missing)


def test_giving_and_taking_back_are_one_call_each(people: People) -> None:
    person = people.make(signed=False)
    calls: list[str] = []
    person.http.event_hooks["request"].append(lambda request: calls.append(request.method))
    text = person.http.get("/v1/consents/documents", params={"language": "en"}).json()[0]
    calls.clear()
    body = {"document": text["id"], "typed_name": "Grace Hopper", "agree": True}
    assert person.http.post("/v1/consents", json=body).status_code == 201
    given = len(calls)
    calls.clear()
    assert person.http.post("/v1/consents/withdrawal", json=WITHDRAW).status_code == 200
    assert (given, len(calls)) == (1, 1)
    verbs = [line["verb"] for line in person.http.get("/v1/consents").json()]
    assert verbs == ["withdrawn", "granted"]


def test_what_happens_to_portraits_must_be_said(people: People) -> None:
    person = people.make()
    answer = person.http.post("/v1/consents/withdrawal", json={})
    refused(answer, 400, "required", "portraits")
    assert person.http.post("/v1/reference-sets", json={}).status_code == 201


def test_there_is_nothing_to_take_back_twice(people: People) -> None:
    person = people.make()
    assert person.http.post("/v1/consents/withdrawal", json=WITHDRAW).status_code == 200
    answer = person.http.post("/v1/consents/withdrawal", json=WITHDRAW)
    refused(answer, 403, "consent_missing")


def test_the_ledger_shows_everything_but_the_name(people: People) -> None:
    person = people.make()
    shown = person.http.get("/v1/consents").text + person.http.get("/v1/me/holdings").text
    assert "Grace Hopper" not in shown
    (line,) = person.http.get("/v1/consents").json()
    assert len(line["document_sha256"]) == 64
    assert line["act"] == "typed-name"
