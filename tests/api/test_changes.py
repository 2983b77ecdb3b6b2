"""Portraits from portraits over HTTP: another style, a variation, a larger one, and who may not."""

import io
import time
import uuid
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.api.people import People, Person, refused

WORDS = "a brass telescope in the left hand"
FACE = {"points": [[0.5, 0.5]], "width": 0.4}


@pytest.fixture(scope="module")
def painted(people: People) -> tuple[Person, str]:
    """Somebody with a portrait from photos; the photos are gone."""
    return from_photos(people)


def from_photos(people: People) -> tuple[Person, str]:
    """In the style's small size, so that a larger one is no burden."""
    person = people.make()
    item = {"style": "passthrough", "size": "headshot"}
    (first,) = made(person, item, reference_set=person.set_with_photo())
    return person, str(first["id"])


def order(person: Person, *items: dict[str, Any], **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    return person.http.post("/v1/jobs", json={"items": items, **more}, headers=headers)


def change(portrait: str, kind: str, style: str = "", **more: Any) -> dict[str, Any]:
    item: dict[str, Any] = {"source": {"portrait": portrait, "change": kind, **more}}
    return {**item, "style": style} if style else item


def made(person: Person, *items: dict[str, Any], **more: Any) -> list[Any]:
    asked = order(person, *items, **more)
    assert asked.status_code == 202, asked.text
    job = person.ended(asked.json()["id"])
    assert job["outcome"] == "complete", [item["code"] for item in job["items"]]
    return [person.http.get(f"/v1/portraits/{item['portrait']}").json() for item in job["items"]]


def pixels(person: Person, portrait: Any) -> Any:
    row = portrait if isinstance(portrait, str) else portrait["id"]
    with Image.open(io.BytesIO(person.http.get(f"/v1/portraits/{row}/image").content)) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.int16)


def test_a_portrait_is_restyled_varied_and_enlarged_without_its_photos(
    painted: tuple[Person, str],
) -> None:
    person, first = painted
    restyled, varied, larger = made(
        person,
        change(first, "restyle", "passthrough"),
        change(first, "variation"),
        change(first, "upscale", detail="rich"),
    )
    assert [row["task"] for row in (restyled, varied, larger)] == ["edit", "edit", "upscale"]
    assert {row["made_from"] for row in (restyled, varied, larger)} == {first}
    before = pixels(person, first)
    # The engine of the tests turns what it changes inside out.
    assert np.abs(255 - before - pixels(person, restyled)).mean() < 8
    assert varied["seed"] != person.http.get(f"/v1/portraits/{first}").json()["seed"]
    after = pixels(person, larger)
    assert after.shape[:2] == (4 * before.shape[0], 4 * before.shape[1])
    assert np.abs(after[2::4, 2::4] - before).mean() < 8


def test_a_mask_says_where_it_changes(painted: tuple[Person, str]) -> None:
    person, first = painted
    (masked,) = made(person, change(first, "edit", "passthrough", words=WORDS, mask=[FACE]))
    difference = np.abs(pixels(person, masked) - pixels(person, first)).mean(-1)
    high, wide = difference.shape
    reach = int(0.14 * wide)
    middle = difference[
        high // 2 - reach : high // 2 + reach, wide // 2 - reach : wide // 2 + reach
    ]
    assert np.median(middle) > 20
    rim = int(0.25 * wide)
    assert difference[:rim].mean() < 8
    assert difference[:, :rim].mean() < 8
    told = person.http.get(f"/v1/portraits/{masked['id']}/prompt")
    assert told.json() == {"words": WORDS}


def test_a_picture_from_words_is_refined_and_varied_from_its_words(people: People) -> None:
    person = people.make(signed=False)
    described = {"style": "passthrough", "prompt": {"hair": "curly", "words": WORDS}}
    (first,) = made(person, described)
    again = {**change(first["id"], "refine"), "prompt": {"hair": "bob", "words": WORDS}}
    refined, varied = made(person, again, change(first["id"], "variation"))
    assert (refined["task"], refined["seed"]) == ("text", first["seed"])
    assert varied["seed"] != first["seed"]
    words = [
        person.http.get(f"/v1/portraits/{row['id']}/prompt").json() for row in (refined, varied)
    ]
    assert [said["hair"] for said in words] == ["bob", "curly"]
    # The colour follows the choices, so the same words give the same picture.
    assert np.abs(pixels(person, varied) - pixels(person, first)).mean() < 8


def test_with_the_photos_a_variation_is_painted_from_them(people: People) -> None:
    person = people.make()
    kept = person.set_with_photo(keep=True)
    first = person.ended(person.submit(kept).json()["id"])["items"][0]["portrait"]
    varied, refined = made(
        person,
        change(first, "variation"),
        change(first, "refine", words=WORDS),
        reference_set=kept,
    )
    assert (varied["task"], refined["task"]) == ("identity", "identity")
    assert np.abs(pixels(person, varied) - pixels(person, first)).mean() < 8
    assert person.http.get(f"/v1/portraits/{refined['id']}/prompt").json() == {"words": WORDS}
    both = order(person, change(first, "upscale"), reference_set=kept)
    refused(both, 422, "source_with_photos", "items.0.source")


def test_sizes_have_names(people: People) -> None:
    person = people.make(signed=False)
    with people.client() as nobody:
        styles = {row["id"]: row for row in nobody.get("/v1/styles").json()}
    assert styles["pencil"]["sizes"] == ["headshot", "portrait", "classic", "story", "banner"]
    described = {"style": "passthrough", "prompt": {"hair": "bob"}}
    rows = made(
        person,
        {**described, "size": "headshot"},
        {**described, "size": "portrait"},
        {**described, "size": "headshot", "large": True},
    )
    full = [(row["renditions"][0]["width"], row["renditions"][0]["height"]) for row in rows]
    assert full == [(512, 512), (512, 640), (1024, 1024)]
    unheard = order(person, {**described, "size": "postage_stamp"})
    refused(unheard, 400, "invalid_choice", "items.0.size")


@pytest.mark.parametrize(
    ("asked", "status", "code", "attr"),
    [
        ({"change": "edit"}, 422, "words_needed", "source.words"),
        ({"change": "edit", "words": "x" * 10_000}, 422, "prompt_too_long", "source.words"),
        ({"change": "edit", "words": "n u d e"}, 422, "prompt_refused", "source.words"),
        ({"change": "restyle", "words": "a hat"}, 400, "not_for_this_change", "source.words"),
        ({"change": "upscale", "mask": [FACE]}, 400, "not_for_this_change", "source.mask"),
        ({"change": "melt"}, 400, "invalid_choice", "source.change"),
        (
            {"change": "restyle", "mask": [{"points": [["nan", 0.5]]}]},
            400,
            "invalid",
            "source.mask.0.points.0.0",
        ),
        (
            {"change": "restyle", "mask": [{"points": [[0.5, 0.5]], "width": 9}]},
            400,
            "max_value",
            "source.mask.0.width",
        ),
    ],
)
def test_what_a_change_may_not_have_is_refused_and_not_repeated(
    painted: tuple[Person, str], asked: dict[str, Any], status: int, code: str, attr: str
) -> None:
    person, first = painted
    item = {"style": "passthrough", "source": {"portrait": first, **asked}}
    said = refused(order(person, item), status, code, f"items.0.{attr}")
    assert asked.get("words", "melt") not in said


def test_nobody_changes_a_portrait_of_somebody_elses(
    painted: tuple[Person, str], people: People
) -> None:
    _, first = painted
    stranger = people.make()
    for kind in ("upscale", "variation", "restyle"):
        answer = order(stranger, change(first, kind, "passthrough"))
        refused(answer, 422, "portrait_unknown", "items.0.source")
    nobodys = order(stranger, change(str(uuid.uuid4()), "upscale"))
    refused(nobodys, 422, "portrait_unknown", "items.0.source")


def test_what_contradicts_itself_is_refused(painted: tuple[Person, str]) -> None:
    person, first = painted
    for item, code, attr in (
        ({**change(first, "upscale"), "size": "story"}, "not_for_this_change", "items.0.size"),
        ({**change(first, "upscale"), "prompt": {}}, "not_for_this_change", "items.0.prompt"),
        (
            {**change(first, "variation"), "reroll_of": first},
            "source_and_reroll",
            "items.0.reroll_of",
        ),
        ({"prompt": {}}, "required", "items.0.style"),
    ):
        refused(order(person, item), 400, code, attr)
    narrow = {**change(first, "restyle", "passthrough"), "size": "story"}
    refused(order(person, narrow), 422, "size_not_supported", "items.0.size")
    many = [change(str(uuid.uuid4()), "upscale") for _ in range(5)]
    refused(order(person, *many), 400, "too_many_sources", "items")


def test_no_copy_of_a_portrait_is_left_behind(people: People) -> None:
    person, first = from_photos(people)
    made(person, change(first, "upscale"))
    copies = (
        "SELECT count(*) FROM privacy_blob WHERE owner_id = %s AND kind = 6 AND state <> 'shredded'"
    )
    until = time.monotonic() + 10
    while people.query(copies, person.id) != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_without_a_consent_that_lives_no_face_is_worked_on(people: People) -> None:
    person, first = from_photos(people)
    left = person.http.post("/v1/consents/withdrawal", json={"portraits": "keep"})
    assert left.status_code == 200, left.text
    refused(order(person, change(first, "upscale")), 403, "consent_missing")
