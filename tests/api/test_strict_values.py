"""A value is what the contract says it is: what merely resembles one is refused and not guessed."""

import json
import unicodedata
import uuid
from typing import Any, Final

import pytest

from tests.api.people import STYLE, Person, refused

KEY: Final = "Idempotency-Key"


@pytest.mark.parametrize("body", [{"keep": 1}, {"keep": "true"}, {"keep_hours": "3"}])
def test_what_only_resembles_a_value_is_refused(signer: Person, body: dict[str, Any]) -> None:
    (field,) = body
    refused(signer.http.post("/v1/reference-sets", json=body), 400, "invalid", field)


@pytest.mark.parametrize("yes", [1, "yes", "true", "on", [True]])
def test_only_true_is_a_yes(signer: Person, yes: object) -> None:
    text = signer.text()
    body = {"document": text["id"], "typed_name": "Grace Hopper", "agree": yes}
    refused(signer.http.post("/v1/consents", json=body), 400, "invalid", "agree")


@pytest.mark.parametrize("item", [{"seed": "7"}, {"seed": True}, {"large": 1}, {"large": "false"}])
def test_an_order_is_not_guessed_at(
    signer: Person, photo_set: str, item: dict[str, Any], keeps_nothing: None
) -> None:
    (field,) = item
    body = {"reference_set": photo_set, "items": [{"style": STYLE, **item}]}
    answer = signer.http.post("/v1/jobs", json=body, headers={KEY: uuid.uuid4().hex})
    refused(answer, 400, "invalid", f"items.0.{field}")


@pytest.mark.parametrize(
    ("path", "code", "attr"),
    [
        ("/v1/jobs?state=running_late", "invalid_choice", "state"),
        ("/v1/jobs?state=", "invalid_choice", "state"),
        ("/v1/jobs?page_size=many", "invalid", "page_size"),
        ("/v1/jobs?page_size=0", "min_value", "page_size"),
        ("/v1/portraits?task=sculpt", "invalid_choice", "task"),
        ("/v1/consents/documents?region=atlantis", "invalid_choice", "region"),
        ("/v1/consents/documents?purpose=training", "invalid_choice", "purpose"),
        ("/v1/transparency?day=", "invalid", "day"),
    ],
)
def test_an_old_client_with_a_value_that_is_gone_is_told_which(
    signer: Person, path: str, code: str, attr: str
) -> None:
    refused(signer.http.get(path), 400, code, attr)


def test_an_unknown_size_of_a_picture_is_refused_before_it_is_opened(signer: Person) -> None:
    job = signer.ended(signer.submit(signer.set_with_photo()).json()["id"])
    portrait = job["items"][0]["portrait"]
    for size in ("huge", 'full"; filename="x.html', "full\r\nSet-Cookie: a=b", ""):
        answer = signer.http.get(f"/v1/portraits/{portrait}/image", params={"size": size})
        refused(answer, 400, "invalid_choice", "size")
    assert signer.http.delete(f"/v1/portraits/{portrait}").status_code == 202


def test_a_parameter_that_comes_twice_counts_once(signer: Person) -> None:
    twice = signer.http.get("/v1/jobs?state=failed&state=done").json()
    assert twice == signer.http.get("/v1/jobs?state=done").json()
    # A body's value is never taken from the address.
    answer = signer.http.post("/v1/me/erasure?scope=biometric", json={"scope": "everything"})
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "key", ["items", "reference_set", "__proto__", "constructor", "\u202eitems", "ITEMS"]
)
def test_a_name_twice_or_a_strange_name_orders_nothing_more(
    signer: Person, photo_set: str, key: str, keeps_nothing: None
) -> None:
    body = json.dumps({"reference_set": photo_set, "items": []})[:-1] + f", {json.dumps(key)}: []}}"
    headers = {KEY: uuid.uuid4().hex, "Content-Type": "application/json"}
    answer = signer.http.post("/v1/jobs", content=body.encode(), headers=headers)
    assert answer.status_code == 400, answer.text


NAMES: Final = {
    "right to left": "Gr\u202ea\u202ece",
    "zalgo": "G" + "\u0301\u0323\u0335" * 30,
    "composed": unicodedata.normalize("NFC", "Zo\u00eb \u00c5ngstr\u00f6m"),
    "decomposed": unicodedata.normalize("NFD", "Zo\u00eb \u00c5ngstr\u00f6m"),
    "emoji": "\U0001f469\u200d\U0001f4bb Grace",
    "full width": "\uff27\uff32\uff21\uff23\uff25",
    "nothing to see": "\u200b\u200b\u200b",
    "nul": "Gr\x00ace",
    "half a pair": "Gr\ud800ace",
    "very long": "G" * 121,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_strange_name_is_kept_as_it_was_typed_or_refused(signer: Person, name: str) -> None:
    body = {"document": signer.text()["id"], "typed_name": NAMES[name], "agree": True}
    headers = {"Content-Type": "application/json"}
    answer = signer.http.post("/v1/consents", content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code in (201, 400), answer.text
    if name in ("nul", "half a pair", "very long"):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["attr"] == "typed_name"
