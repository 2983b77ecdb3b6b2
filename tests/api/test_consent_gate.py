"""Nothing about a face comes in without a living consent, and it is taken back in one call."""

import uuid
from typing import Any

import pytest

from tests.api.people import KEEPING, STYLE, People, Person, refused
from tests.figures import figure

SOME = uuid.uuid4()
WITHDRAW = {"portraits": "keep"}


def doors(person: Person, set_id: str) -> list[Any]:
    """Every call that brings photos in or starts a generation from them."""
    path = f"/v1/reference-sets/{set_id}/photos/front"
    photo, bytes_of = person.views["front"], {"Content-Type": "application/octet-stream"}
    body = {"reference_set": set_id, "items": [{"style": STYLE}]}
    return [
        person.http.post("/v1/reference-sets", json={}),
        person.http.post("/v1/reference-sets", json={"keep": True}),
        person.http.post("/v1/reference-sets", json={"keep_hours": 5}),
        person.http.put(path, content=photo, headers={"Content-Type": "image/jpeg"}),
        person.http.put(path, content=photo, headers=bytes_of),
        person.http.put(path, content=iter([photo]), headers={"Content-Type": "image/jpeg"}),
        person.http.post("/v1/jobs", json=body, headers={"Idempotency-Key": "k"}),
    ]


def signed_then(people: People, **change: str) -> Person:
    """Somebody whose only signature holds no more, for what one column says."""
    person = people.make(signed=False)
    text = person.text()
    row = {
        "id": "gen_random_uuid()",
        "subject_id": f"'{person.id}'",
        "document_id": f"'{text['id']}'",
        "verb": "'granted'",
        "act": "'typed-name'",
        "client": "'tests'",
        "at": "now() - interval '400 days'",
        "shown_at": "now() - interval '400 days'",
        "expires_at": "now() + interval '1 day'",
    } | change
    people.query(
        f"INSERT INTO privacy_consent ({', '.join(row)}) VALUES ({', '.join(row.values())})"
    )
    return person


def an_open_set(people: People, person: Person) -> str:
    """A set that is there, from a time when they had consented."""
    set_id = uuid.uuid4()
    people.query(
        "INSERT INTO portraits_referenceset (id, owner_id, state, keep, created_at, expires_at)"
        " VALUES (%s, %s, 'open', false, now(), now() + interval '1 day')",
        *(set_id, person.id),
    )
    return str(set_id)


def without_a_living_consent(people: People) -> list[tuple[str, Person, str]]:
    """Five people: why they have none, who they are, what they are told."""
    withdrawn, other = people.make(), people.make(signed=False)
    assert withdrawn.http.post("/v1/consents/withdrawal", json=WITHDRAW).status_code == 200
    assert other.sign(KEEPING).status_code == 201
    first = "SELECT id FROM privacy_consentdocument WHERE version = 1 AND language = 'en' LIMIT 1"
    return [
        ("never given", people.make(signed=False), "consent_missing"),
        ("withdrawn", withdrawn, "consent_missing"),
        (
            "outdated",
            signed_then(people, document_id=f"({first})"),
            "consent_outdated",
        ),
        (
            "expired",
            signed_then(people, expires_at="now() - interval '1 second'"),
            "consent_expired",
        ),
        ("of the other purpose", other, "consent_missing"),
    ]


def test_without_a_living_consent_every_door_is_shut(people: People) -> None:
    opened, knocked, stored = 0, 0, 0
    cases = without_a_living_consent(people)
    for why, person, code in cases:
        for answer in doors(person, an_open_set(people, person)):
            knocked += 1
            opened += answer.status_code != 403
            assert "consent" in refused(answer, 403, code), why
        held = people.query("SELECT count(*) FROM privacy_blob WHERE owner_id = %s", person.id)
        stored += held[0][0]
        assert person.holdings()["sealed"] == []
        assert person.http.get("/v1/jobs").json()["results"] == []
    figure(
        "P-01",
        value=opened,
        n=knocked,
        holds=(opened, stored) == (0, 0),
        conditions=f"over HTTP; {', '.join(why for why, _, _ in cases)}; {stored} bytes stored",
    )


def test_the_same_doors_open_for_a_living_consent(people: People) -> None:
    """The positive control: it is the consent that is missing, and nothing else."""
    person = people.make()
    assert person.sign(KEEPING).status_code == 201
    codes = [answer.status_code for answer in doors(person, an_open_set(people, person))]
    assert codes[:3] == [201, 201, 201]
    assert all(code in (200, 202) for code in codes[3:6]), codes
    assert codes[6] in (202, 409), codes


def test_keeping_photos_without_its_own_consent_is_refused(people: People) -> None:
    person = people.make()
    for body in ({"keep": True}, {"keep_hours": 5}):
        answer = person.http.post("/v1/reference-sets", json=body)
        assert "reference-keeping" in refused(answer, 403, "consent_missing", "keep")
    assert person.http.get("/v1/reference-sets").json() == []


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
    text = person.text()
    body = {"document": text["id"], "typed_name": "Grace Hopper", "agree": True} | change
    refused(person.http.post("/v1/consents", json=body), status, code, attr)
    assert person.http.get("/v1/consents").json() == []


@pytest.mark.parametrize("missing", ["document", "typed_name", "agree"])
def test_nothing_is_agreed_to_by_leaving_it_out(people: People, missing: str) -> None:
    person = people.make(signed=False)
    text = person.text()
    body = {"document": text["id"], "typed_name": "Grace Hopper", "agree": True}
    del body[missing]
    refused(person.http.post("/v1/consents", json=body), 400, "required", missing)


def test_giving_and_taking_back_are_one_call_each(people: People) -> None:
    person = people.make(signed=False)
    calls: list[str] = []
    person.http.event_hooks["request"].append(lambda request: calls.append(request.method))
    text = person.text()
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
