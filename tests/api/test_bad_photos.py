"""A file that is no good photo of one person gets its code and a hint, and nothing of it stays."""

import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image, ImageDraw, ImageFilter

from deploy.env import ROOT
from tests.api.people import People, Person, jpeg, refused
from tests.images import making

PHOTOS = ROOT / "tests" / "photos"
pytestmark = pytest.mark.usefixtures("keeps_nothing")


@pytest.fixture(scope="module")
def empty_set(signer: Person) -> str:
    return signer.new_set()


def two_people() -> bytes:
    left, right = (
        Image.open(PHOTOS / name).convert("RGB") for name in ("grace_hopper.jpg", "astronaut.jpg")
    )
    size = 512
    picture = Image.new("RGB", (2 * size, size), "grey")
    for place, photo in enumerate((left, right)):
        photo.thumbnail((size, size))
        picture.paste(photo, (place * size, 0))
    return jpeg(picture)


def a_house() -> bytes:
    picture = Image.effect_noise((640, 640), 20).convert("RGB")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((150, 300, 500, 600), fill="brown")
    draw.polygon([(120, 300), (325, 120), (530, 300)], fill="darkred")
    return jpeg(picture)


def animated() -> bytes:
    return making.frames(Image.effect_noise((300, 300), 60), "GIF")


def moving_webp() -> bytes:
    return making.frames(Image.effect_noise((300, 300), 60).convert("RGB"), "WEBP")


def bmp() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (300, 300)).save(stream, "BMP")
    return stream.getvalue()


BAD: dict[str, tuple[Callable[[dict[str, bytes]], bytes], str]] = {
    "a text that is named .jpg": (lambda views: b"Dear photo,\n" * 200, "not_an_image"),
    "a program": (lambda views: b"\x7fELF" + bytes(5000), "not_an_image"),
    "half of a photo": (
        lambda views: views["front"][:20_000],
        "truncated_image",
    ),
    "a decompression bomb": (lambda views: making.png_bomb(20_000, 20_000), "too_many_pixels"),
    "an animation": (lambda views: moving_webp(), "animated_image"),
    "an old format": (lambda views: bmp(), "unsupported_format"),
    "a thumbnail": (lambda views: jpeg(Image.effect_noise((100, 100), 60)), "too_small"),
    "a house": (lambda views: a_house(), "no_face"),
    "two people": (lambda views: two_people(), "several_faces"),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_with_its_own_code(signer: Person, empty_set: str, name: str) -> None:
    make, code = BAD[name]
    answer = signer.put(empty_set, "front", make(signer.views))
    sentence = refused(answer, 422, code, "photo")
    assert len(sentence.split()) > 5
    (photo,) = signer.http.get(f"/v1/reference-sets/{empty_set}").json()["photos"]
    assert (photo["state"], photo["code"], photo["expires_at"]) == ("refused", code, None)
    signer.http.delete(f"/v1/reference-sets/{empty_set}/photos/front")


def test_no_bad_file_makes_the_service_fall_over(signer: Person, empty_set: str) -> None:
    """What a fuzzer would think of first; tests/fuzz goes on from there."""
    good = signer.views["front"]
    bad = [bytes(2000), b"\xff\xd8\xff\xd9", good[:20], good + good, b"GIF89a" + bytes(300)]
    bad += [good[:place] + b"\xff\x00\xff" + good[place + 3 :] for place in (4, 160, 600, 9000)]
    bad.append(animated())
    statuses = [signer.put(empty_set, "half_body", data).status_code for data in bad]
    assert [status for status in statuses if status not in (200, 422)] == []
    signer.http.delete(f"/v1/reference-sets/{empty_set}/photos/half_body")


def test_an_empty_file_is_refused(signer: Person, empty_set: str) -> None:
    refused(signer.put(empty_set, "front", b""), 422, "empty_file", "photo")


@pytest.mark.parametrize("size", [15_000_001, 15_900_000, 16_000_001, 40_000_000])
def test_a_file_that_is_announced_too_large_is_refused(
    signer: Person, empty_set: str, size: int
) -> None:
    sentence = refused(signer.put(empty_set, "front", bytes(size)), 413, "file_too_large", "photo")
    assert "15 MB" in sentence


@pytest.mark.parametrize("size", [15_500_000, 24_000_000])
def test_a_file_that_turns_out_too_large_is_refused(
    signer: Person, empty_set: str, size: int
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(size // 500_000):
            yield bytes(500_000)

    path = f"/v1/reference-sets/{empty_set}/photos/front"
    answer = signer.http.put(path, content=chunks(), headers={"Content-Type": "image/jpeg"})
    refused(answer, 413, "file_too_large", "photo")


def test_a_good_photo_may_come_without_its_length(signer: Person) -> None:
    made, data = signer.new_set(), signer.views["front"]

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(data), 10_000):
            yield data[start : start + 10_000]

    path = f"/v1/reference-sets/{made}/photos/front"
    answer = signer.http.put(path, content=chunks(), headers={"Content-Type": "image/jpeg"})
    assert answer.status_code in (200, 202), answer.text
    assert signer.http.delete(f"/v1/reference-sets/{made}").status_code == 202


def test_the_same_photo_twice_is_refused(signer: Person, photo_set: str) -> None:
    answer = signer.put(photo_set, "half_body", signer.views["front"])
    refused(answer, 422, "duplicate_photo", "photo")
    slot = f"/v1/reference-sets/{photo_set}/photos/half_body"
    gone = signer.http.delete(slot)
    assert (gone.status_code, gone.json()["scope"]) == (202, "photo")
    refused(signer.http.delete(slot), 404, "unknown_photo", "slot")


def test_one_blurred_photo_does_not_spoil_its_set(people: People) -> None:
    person = people.make()
    made = person.set_with_photo()
    with Image.open(io.BytesIO(person.views["half_body"])) as sharp:
        blurred = jpeg(sharp.convert("RGB").filter(ImageFilter.GaussianBlur(sharp.height / 100)))
    refused(person.put(made, "half_body", blurred), 422, "too_blurred", "photo")
    assert person.ended(person.submit(made).json()["id"])["state"] == "done"


def test_the_content_type_is_not_believed(signer: Person, empty_set: str) -> None:
    sent = {"Content-Type": "application/octet-stream"}
    answer = signer.put(empty_set, "front", b"no photo at all" * 100, **sent)
    refused(answer, 422, "not_an_image", "photo")
    signer.http.delete(f"/v1/reference-sets/{empty_set}/photos/front")
