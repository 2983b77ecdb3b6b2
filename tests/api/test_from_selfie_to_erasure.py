"""The whole way of one person, as an app would go it."""

import base64
import io
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from PIL import Image

from portraits.provenance import SOURCE_TYPE
from tests.api.people import PASSWORD, STYLE, People, Person, refused
from tests.figures import figure


def signed_up(people: People) -> Person:
    """The long way, by the form."""
    email = f"{uuid.uuid4().hex}@example.org"
    http = people.client()
    body = {"email": email, "password": PASSWORD, "region": "us_il", "is_adult": True}
    made = http.post("/auth/app/v1/auth/signup", json=body)
    assert made.status_code == 200, made.text
    http.headers["X-Session-Token"] = made.json()["meta"]["session_token"]
    account = http.get("/v1/me/holdings").json()["account"]
    assert (account["email"], account["region"], account["is_adult"]) == (email, "us_il", True)
    return Person(uuid.UUID(account["id"]), email, http, people.views)


def verify(receipt: dict[str, object], keys: dict[str, str]) -> None:
    """With the published keys and nothing of ours."""
    statement = receipt["statement"]
    assert isinstance(statement, dict)
    said = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys[statement["key"]]))
    public.verify(base64.b64decode(str(receipt["signature"])), said.encode())


def test_a_person_comes_is_painted_and_leaves_nothing_behind(people: People) -> None:
    person = signed_up(people)
    assert person.sign().status_code == 201

    made = person.new_set()
    for slot, data in person.views.items():
        sent = person.put(made, slot, data)
        assert sent.status_code == 200, sent.text
        assert sent.json()["state"] == "accepted"
    kinds = [blob["kind"] for blob in person.holdings()["sealed"]]
    assert kinds == ["reference"] * 5

    submitted = person.submit(made, STYLE, STYLE)
    assert submitted.status_code == 202, submitted.text
    job = person.ended(submitted.json()["id"])
    assert (job["state"], job["percent"], job["reference_set"]) == ("done", 100, None)
    refused(
        person.http.get(f"/v1/reference-sets/{made}"), 404, "unknown_reference_set", "reference_set"
    )
    kinds = [blob["kind"] for blob in person.holdings()["sealed"]]
    assert sorted(set(kinds)) == ["portrait", "rendition"]

    portraits = person.http.get("/v1/portraits").json()["results"]
    assert {portrait["id"] for portrait in portraits} == {item["portrait"] for item in job["items"]}
    look_at_the_pictures(person, portraits)
    move_the_deadline(person, portraits[0])
    first, second = portraits

    gone = person.http.delete(f"/v1/portraits/{first['id']}")
    assert gone.status_code == 202, gone.text
    assert (gone.json()["scope"], gone.json()["stage"]) == ("portrait", "shredded")
    again = person.http.delete(f"/v1/portraits/{first['id']}")
    assert (again.status_code, again.json()["id"]) == (202, gone.json()["id"])
    receipt = proved(people, gone.json()["id"])["receipt"]
    assert receipt["statement"]["destroyed"] == {"portrait": 1, "rendition": 2}
    refused(person.http.get(f"/v1/portraits/{first['id']}"), 404, "not_found")
    refused(person.http.get(f"/v1/portraits/{first['id']}/image"), 404, "not_found")

    taken_back = person.http.post("/v1/consents/withdrawal", json={"portraits": "keep"})
    assert taken_back.status_code == 200
    refused(person.http.post("/v1/reference-sets", json={}), 403, "consent_missing")
    assert person.http.get(f"/v1/portraits/{second['id']}/image").status_code == 200
    assert person.sign().status_code == 201
    assert person.http.post("/v1/reference-sets", json={}).status_code == 201

    be_forgotten(people, person)


def look_at_the_pictures(person: Person, portraits: list[dict[str, object]]) -> None:
    """Three sizes, marked as made by a machine, and nothing about a person in them."""
    pictures, marked, telling = 0, 0, 0
    for portrait in portraits:
        sizes = {}
        for size in ("full", "preview", "thumb"):
            answer = person.http.get(f"{portrait['image']}", params={"size": size})
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["cache-control"] == "no-store"
            data = answer.content
            with Image.open(io.BytesIO(data)) as picture:
                sizes[size] = max(picture.size)
                assert not picture.getexif()
                assert "exif" not in picture.info
            pictures += 1
            marked += data.count(SOURCE_TYPE.encode()) == 2  # the packet and the manifest
            tells = (str(person.id), person.email, str(portrait["id"]), str(portrait["job"]))
            telling += any(tell.encode() in data for tell in (*tells, "Exif\0"))
        assert sizes["full"] > sizes["preview"] > sizes["thumb"]
        for size in ("huge", "\x00"):
            answer = person.http.get(f"{portrait['image']}", params={"size": size})
            refused(answer, 400, "invalid_choice", "size")
    figure(
        "P-03",
        value=f"{100 * marked // pictures} %; {telling}",
        n=pictures,
        holds=marked == pictures and not telling,
        conditions="over HTTP, three sizes",
    )
    assert marked == pictures
    assert telling == 0


def move_the_deadline(person: Person, portrait: dict[str, object]) -> None:
    """Longer, shorter, and not past the cap."""
    path = f"/v1/portraits/{portrait['id']}"
    painted = datetime.fromisoformat(str(portrait["created_at"]))
    for days in (364, 2):
        end = (painted + timedelta(days=days)).isoformat()
        moved = person.http.patch(path, json={"expires_at": end})
        assert moved.status_code == 200, moved.text
        assert datetime.fromisoformat(moved.json()["expires_at"]) == datetime.fromisoformat(end)
    for days in (366, -1):
        end = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        answer = person.http.patch(path, json={"expires_at": end})
        refused(answer, 422, "deadline_refused", "expires_at")
    refused(person.http.patch(path, json={}), 400, "required", "expires_at")
    refused(person.http.patch(path, json={"expires_at": "soon"}), 400, "invalid", "expires_at")


def proved(people: People, erasure_id: str) -> Any:
    """Wait for the proof, as nobody in particular."""
    deadline = time.monotonic() + 60
    with people.client() as nobody:
        while (seen := nobody.get(f"/v1/erasures/{erasure_id}").json())["stage"] != "proved":
            assert time.monotonic() < deadline, seen
            time.sleep(0.1)
    return seen


def be_forgotten(people: People, person: Person) -> None:
    """With the password once more, to a receipt that anybody can check."""
    assert person.http.get("/v1/me/holdings").status_code == 200
    refused(person.http.post("/v1/me/erasure"), 403, "reauthentication_required")
    assert person.confirm().status_code == 200
    started = time.monotonic()
    begun = person.http.post("/v1/me/erasure")
    unreadable = time.monotonic() - started
    assert begun.status_code == 202, begun.text
    refused(person.http.get("/v1/portraits"), 401, "session_ended")
    refused(person.http.post("/v1/me/erasure"), 401, "session_ended")

    seen = proved(people, begun.json()["id"])
    seconds = time.monotonic() - started
    with people.client() as nobody:
        keys = nobody.get("/.well-known/sitter-keys.json").json()["ed25519"]
        again = nobody.post(
            "/auth/app/v1/auth/login", json={"email": person.email, "password": PASSWORD}
        )
        assert again.status_code == 400
    figure(
        "E-01",
        value=f"{seconds:.2f} / {unreadable:.2f}",
        unit="s",
        n=1,
        holds=seconds <= 60 and unreadable <= 2,
        conditions="over HTTP, all roles on one machine",
    )
    receipt = seen["receipt"]
    verify(receipt, keys)
    assert receipt["statement"]["destroyed"]["portrait"] == 1
    forged = {**receipt, "statement": {**receipt["statement"], "destroyed": {}}}
    with pytest.raises(InvalidSignature):
        verify(forged, keys)
    assert person.email not in json.dumps(receipt)
    assert str(person.id) not in json.dumps(receipt)
    for table in ("accounts_user", "account_emailaddress", "privacy_blob", "privacy_ownerkey"):
        column = {"accounts_user": "id", "account_emailaddress": "user_id"}.get(table, "owner_id")
        assert people.query(f"SELECT 1 FROM {table} WHERE {column} = %s", person.id) == []


def test_an_erasure_asks_for_the_password_of_the_last_minutes(people: People) -> None:
    person = people.make(signed=False)
    sentence = refused(person.http.post("/v1/me/erasure"), 403, "reauthentication_required")
    assert "password" in sentence
    wrong = person.http.post("/auth/app/v1/auth/reauthenticate", json={"password": "wrong-9x"})
    assert wrong.status_code == 400
    refused(person.http.post("/v1/me/erasure"), 403, "reauthentication_required")
    assert person.http.get("/v1/me/holdings").status_code == 200


def test_somebody_who_did_nothing_yet_can_leave_too(people: People) -> None:
    person = people.make(signed=False)
    assert person.confirm().status_code == 200
    begun = person.http.post("/v1/me/erasure")
    assert begun.status_code == 202
    proved(people, begun.json()["id"])


def test_every_photo_and_portrait_can_go_while_the_account_stays(people: People) -> None:
    person = people.make()
    made = person.set_with_photo()
    job = person.ended(person.submit(made).json()["id"])
    assert job["state"] == "done"
    left = person.set_with_photo()
    body = {"scope": "biometric"}
    refused(person.http.post("/v1/me/erasure", json=body), 403, "reauthentication_required")
    assert person.confirm().status_code == 200
    part = person.http.post("/v1/me/erasure", json={"scope": "portrait"})
    assert (part.status_code, part.json()["errors"][0]["code"]) == (400, "invalid_choice")
    begun = person.http.post("/v1/me/erasure", json=body)
    assert (begun.status_code, begun.json()["scope"]) == (202, "biometric")
    assert person.http.get("/v1/portraits").json()["results"] == []
    refused(person.http.post("/v1/reference-sets", json={}), 403, "consent_missing")
    receipt = proved(people, begun.json()["id"])["receipt"]
    assert receipt["statement"]["destroyed"] == {"reference": 1, "portrait": 1, "rendition": 2}
    assert person.holdings()["sealed"] == []
    refused(
        person.http.delete(f"/v1/reference-sets/{left}"),
        404,
        "unknown_reference_set",
        "reference_set",
    )
    assert person.sign().status_code == 201


def test_erasing_ends_every_session_of_the_person(people: People) -> None:
    person = people.make(signed=False)
    with people.client() as phone:
        body = {"email": person.email, "password": PASSWORD}
        signed_in = phone.post("/auth/app/v1/auth/login", json=body)
        phone.headers["X-Session-Token"] = signed_in.json()["meta"]["session_token"]
        assert phone.get("/v1/jobs").status_code == 200
        assert person.confirm().status_code == 200
        assert person.http.post("/v1/me/erasure").status_code == 202
        refused(phone.get("/v1/jobs"), 401, "session_ended")
