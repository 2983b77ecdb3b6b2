"""Portraits from words over HTTP: no photo, no consent, and the owner alone reads the words."""

import io
import time
import uuid
import zipfile
from typing import Any

import httpx
import pytest

from portraits.prompts import CHOICES, WORDS
from tests.api.people import People, Person, refused

TOLD = "a lighthouse keeper with a brass telescope"


@pytest.fixture(scope="module")
def writer(people: People) -> Person:
    """Somebody who has signed no consent and hands in no photo."""
    return people.make(signed=False)


def order(person: Person, *items: dict[str, Any], **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    return person.http.post("/v1/jobs", json={"items": items, **more}, headers=headers)


def described(**prompt: str) -> dict[str, Any]:
    return {"style": "passthrough", "prompt": prompt}


@pytest.fixture(scope="module")
def portrait(writer: Person) -> str:
    asked = order(writer, described(hair="curly", words=TOLD))
    assert asked.status_code == 202, asked.text
    assert TOLD not in asked.text
    job = writer.ended(asked.json()["id"])
    assert job["outcome"] == "complete", job
    return str(job["items"][0]["portrait"])


def test_a_form_can_be_drawn_from_the_choices(people: People) -> None:
    with people.client() as nobody:
        told = nobody.get("/v1/prompt-choices").json()
        styles = {row["id"]: row for row in nobody.get("/v1/styles").json()}
    assert told == {
        "choices": {name: list(values) for name, values in CHOICES.items()},
        "words_max_length": WORDS,
    }
    assert "text" in styles["passthrough"]["tasks"]
    assert styles["passthrough"]["takes_words"] is True
    assert styles["passthrough"]["needs_photos"] is False


def test_the_owner_alone_reads_the_words(
    writer: Person, stranger: Person, people: People, portrait: str
) -> None:
    read = writer.http.get(f"/v1/portraits/{portrait}/prompt")
    assert read.status_code == 200, read.text
    assert read.headers["cache-control"] == "no-store"
    assert (read.json()["words"], read.json()["hair"]) == (TOLD, "curly")
    assert read.json()["subject"] == CHOICES["subject"][0]
    refused(stranger.http.get(f"/v1/portraits/{portrait}/prompt"), 404, "not_found")
    told = writer.http.get(f"/v1/portraits/{portrait}").text + writer.http.get("/v1/jobs").text
    assert TOLD not in told + str(writer.holdings())


def test_the_words_are_no_picture(writer: Person, portrait: str) -> None:
    found = writer.http.get(f"/v1/portraits/{portrait}").json()
    assert {row["name"] for row in found["renditions"]} == {"full", "preview", "thumb"}
    assert writer.http.get(found["image"]).headers["content-type"] == "image/jpeg"
    assert writer.http.get(found["image"], params={"size": "prompt"}).status_code == 400


def test_a_portrait_from_photos_has_no_words(signer: Person, photo_set: str) -> None:
    job = signer.ended(signer.submit(photo_set).json()["id"])
    path = f"/v1/portraits/{job['items'][0]['portrait']}/prompt"
    refused(signer.http.get(path), 404, "not_found")


def test_what_a_prompt_may_not_have_is_refused_and_not_repeated(writer: Person) -> None:
    for prompt, status, code, attr in (
        ({"words": "x" * 10_000}, 422, "prompt_too_long", "items.0.prompt"),
        ({"words": "n u d e"}, 422, "prompt_refused", "items.0.prompt"),
        ({"hair": "of-a-hedgehog"}, 400, "invalid_choice", "items.0.prompt.hair"),
        ({"words": "a\x00b"}, 400, "null_characters_not_allowed", "items.0.prompt.words"),
    ):
        answer = order(writer, described(**prompt))
        said = refused(answer, status, code, attr)
        assert not any(word in said for word in (*prompt.values(), "hedgehog"))


def test_words_and_photos_do_not_mix(signer: Person, photo_set: str) -> None:
    answer = order(signer, described(hair="bob"), reference_set=photo_set)
    refused(answer, 422, "prompt_with_photos", "items.0.prompt")
    mixed = order(signer, described(hair="bob"), {"style": "passthrough"})
    refused(mixed, 422, "reference_set_required", "reference_set")


def test_the_words_go_along_and_end_with_the_account(people: People) -> None:
    person = people.make(signed=False)
    job = person.ended(order(person, described(words=TOLD)).json()["id"])
    assert job["outcome"] == "complete"
    archive = person.http.get(f"{person.export()}/archive").content
    held = zipfile.ZipFile(io.BytesIO(archive))
    written = [name for name in held.namelist() if name.endswith(".json") and "smaller" in name]
    assert [TOLD in held.read(name).decode() for name in written] == [True]
    blobs = "SELECT count(*) FROM privacy_blob WHERE owner_id = %s AND state <> 'shredded'"
    assert people.query(blobs, person.id) != [(0,)]
    assert person.confirm().status_code == 200
    assert person.http.post("/v1/me/erasure", json={}).status_code == 202
    until = time.monotonic() + 30
    while people.query(blobs, person.id) != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.2)
