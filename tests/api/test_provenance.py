"""The public detector over HTTP, and the formats: asked for, delivered, recognised."""

import io
import time
import uuid

import httpx
from PIL import Image

from deploy.stack.supervisor import Stack
from portraits import provenance
from tests.api.people import STYLE, Person, jpeg, refused
from tests.images import clean


def ask(live: Stack, data: bytes) -> httpx.Response:
    """Without an account; a 202 is asked again."""
    headers = {"Content-Type": "application/octet-stream"}
    with httpx.Client(base_url=live.urls.web, timeout=30) as anybody:
        answer = anybody.post("/v1/provenance/check", content=data, headers=headers)
        until = time.monotonic() + 30
        while answer.status_code == 202 and time.monotonic() < until:
            time.sleep(0.2)
            answer = anybody.get(f"/v1/provenance/checks/{answer.json()['id']}")
    return answer


def test_a_portrait_in_each_format_carries_every_mark(
    live: Stack, photo_set: str, signer: Person
) -> None:
    forms = ("jpeg", "png", "webp", "avif")
    items = [{"style": STYLE, "format": form} for form in forms]
    body = {"reference_set": photo_set, "items": items}
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    asked = signer.http.post("/v1/jobs", json=body, headers=headers)
    assert asked.status_code == 202, asked.text
    job = signer.ended(asked.json()["id"])
    for item, form in zip(job["items"], forms, strict=True):
        answer = signer.http.get(f"/v1/portraits/{item['portrait']}/image")
        assert answer.headers["content-type"] == f"image/{form}"
        ending = "jpg" if form == "jpeg" else form
        assert f'portrait-full.{ending}"' in answer.headers["content-disposition"]
        assert provenance.SOURCE_TYPE.encode() in answer.content
        assert b"c2pa" in answer.content
        with Image.open(io.BytesIO(answer.content)) as found:
            found.load()
        if form != "avif":
            said = ask(live, answer.content)
            assert said.status_code == 200, said.text
            assert (said.json()["state"], said.json()["made_here"]) == ("answered", True)


def test_a_strangers_picture_was_not_made_here(live: Stack) -> None:
    said = ask(live, jpeg(clean.picture(4, (512, 640))))
    assert said.status_code == 200
    assert said.json()["made_here"] is False
    assert set(said.json()) == {"id", "state", "made_here", "expires_at"}


def test_what_is_no_picture_gets_its_code(live: Stack) -> None:
    refused(ask(live, b"hello"), 422, "not_an_image", "photo")
    refused(ask(live, b""), 422, "empty_file", "photo")
