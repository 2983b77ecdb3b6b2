"""The gate lets one clear face pass and says of everything else what to do about it."""

import json
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from portraits.refusals import FACE
from tests.images.making import file_of
from workers import gate as gates
from workers import images
from workers.gate import SLOTS, Gate, WeightsRefused

GREY = (128, 128, 128)


def reopened(picture: Image.Image, quality: int) -> Image.Image:
    return images.open_reference(file_of(picture, "JPEG", quality=quality))


def small_on_grey(picture: Image.Image, height: int) -> Image.Image:
    """The whole portrait, so many pixels high, on a grey wall of 1024 by 1024."""
    wall = Image.new("RGB", (1024, 1024), GREY)
    width = round(picture.width * height / picture.height)
    wall.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (400, 300))
    return wall


def test_a_good_portrait_passes(gate: Gate, portrait: Image.Image, astronaut: Image.Image) -> None:
    for picture in (portrait, astronaut):
        verdict = gate.check(picture, "front", [])
        assert verdict.accepted, verdict
        assert verdict.code is None
        assert verdict.sentence is None
        assert 0.5 < verdict.quality <= 1


def test_it_says_where_the_face_is(gate: Gate, portrait: Image.Image) -> None:
    face = gate.check(portrait, "front", []).face
    assert face is not None
    x, y, width, height = face
    assert 0.3 < x < 0.4
    assert 0.15 < y < 0.25
    assert 0.3 < width < 0.4
    assert 0.3 < height < 0.45


@pytest.mark.parametrize("slot", SLOTS)
def test_it_refuses_a_picture_without_a_face(gate: Gate, slot: str) -> None:
    gradient = Image.linear_gradient("L").resize((900, 700)).convert("RGB")
    noise = Image.effect_noise((800, 800), 60).convert("RGB")
    for picture in (gradient, noise, Image.new("RGB", (640, 480), GREY)):
        verdict = gate.check(picture, slot, [])
        assert verdict.code == "no_face"
        assert verdict.sentence == FACE["no_face"]
        assert verdict.face is None


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("height", [320, 500])
def test_it_refuses_a_second_face(
    gate: Gate, portrait: Image.Image, astronaut: Image.Image, slot: str, height: int
) -> None:
    together = Image.new("RGB", (portrait.width + height, portrait.height), GREY)
    together.paste(portrait, (0, 0))
    together.paste(astronaut.resize((height, height)), (portrait.width, 50))
    assert gate.check(together, slot, []).code == "several_faces"


def test_a_small_face_in_a_frame_behind_is_no_second_person(
    gate: Gate, portrait: Image.Image, astronaut: Image.Image
) -> None:
    room = Image.new("RGB", (1000, 1000), GREY)
    room.paste(portrait.resize((800, 938)), (0, 62))
    room.paste(astronaut.resize((120, 120)), (860, 60))
    assert gate.check(room, "half_body", []).accepted


def test_it_refuses_a_face_that_is_too_small(gate: Gate, portrait: Image.Image) -> None:
    verdict = gate.check(small_on_grey(portrait, 160), "front", [])
    assert verdict.code == "face_too_small"
    assert verdict.sentence is not None
    assert verdict.sentence.startswith("Move closer")


def test_each_slot_has_its_own_smallest_face(gate: Gate, portrait: Image.Image) -> None:
    codes = {
        (slot, height): gate.check(small_on_grey(portrait, height), slot, []).code
        for slot in ("front", "half_body", "full_body")
        for height in (130, 230, 420)
    }
    assert codes["full_body", 130] is None
    assert codes["half_body", 130] == "face_too_small"
    assert codes["half_body", 230] is None
    assert codes["front", 230] == "face_too_small"
    assert codes["front", 420] is None


@pytest.mark.parametrize("slot", SLOTS)
def test_it_refuses_a_blurred_face(gate: Gate, views: dict[str, bytes], slot: str) -> None:
    picture = images.open_reference(views[slot])
    face = gate.check(picture, slot, []).face
    assert face is not None
    blur = ImageFilter.GaussianBlur(face[3] * picture.height / 20)
    assert gate.check(picture.filter(blur), slot, []).code == "too_blurred"


def test_it_refuses_what_is_too_dark(gate: Gate, portrait: Image.Image) -> None:
    for strength in (0.15, 0.02):
        dark = ImageEnhance.Brightness(portrait).enhance(strength)
        assert gate.check(dark, "front", []).code == "too_dark"


def test_it_refuses_what_is_overexposed(gate: Gate, portrait: Image.Image) -> None:
    bright = portrait.point(lambda v: min(255, v // 8 + 224))
    assert gate.check(bright, "front", []).code == "too_bright"
    assert gate.check(Image.new("RGB", (500, 500), "white"), "front", []).code == "too_bright"


@pytest.mark.parametrize("strength", [0.45, 0.6, 0.8, 1.2])
def test_a_dark_complexion_or_a_dim_room_is_not_too_dark(
    gate: Gate, portrait: Image.Image, strength: float
) -> None:
    """Darkness is read from the highlights, so a face that is dark throughout still passes."""
    assert gate.check(ImageEnhance.Brightness(portrait).enhance(strength), "front", []).accepted


def test_it_refuses_the_same_photo_again(gate: Gate, portrait: Image.Image) -> None:
    copies = [
        portrait,
        reopened(portrait, 40),
        portrait.resize((384, 450)),
        reopened(portrait.resize((820, 960)), 75),
        ImageEnhance.Brightness(portrait).enhance(1.15),
    ]
    for other in copies:
        assert gate.check(portrait, "front", [other]).code == "duplicate_photo"
        assert gate.check(other, "half_body", [portrait]).code == "duplicate_photo"


def test_another_photo_of_the_same_person_is_no_duplicate(
    gate: Gate, portrait: Image.Image, astronaut: Image.Image
) -> None:
    """Whole pictures are compared, never faces: another crop or another turn is another photo."""
    others = [
        astronaut,
        portrait.crop((60, 30, 480, 520)),
        portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        portrait.rotate(6, Image.Resampling.BICUBIC),
    ]
    assert gate.check(portrait, "front", others).accepted


def test_a_wrong_pose_is_a_hint_and_never_a_refusal(gate: Gate, portrait: Image.Image) -> None:
    verdict = gate.check(portrait, "three_quarter_left", [])
    assert verdict.accepted
    assert verdict.hint == "Turn your head a little further."
    assert gate.check(portrait, "front", []).hint is None
    close = gate.check(portrait.crop((140, 60, 390, 400)).resize((750, 1020)), "full_body", [])
    assert close.accepted
    assert close.hint is not None


def test_the_five_views_of_the_demo_pass(gate: Gate, views: dict[str, bytes]) -> None:
    done: list[Image.Image] = []
    for slot, data in views.items():
        picture = images.open_reference(data)
        verdict = gate.check(picture, slot, done)
        assert verdict.accepted, (slot, verdict)
        done.append(picture)
    assert set(views) == set(SLOTS)


def test_every_refusal_tells_what_to_do() -> None:
    codes = {"no_face", "several_faces", "face_too_small", "too_blurred", "too_dark"}
    assert set(FACE) == codes | {"too_bright", "duplicate_photo", "unsafe_photo", "not_a_photo"}
    for sentence in FACE.values():
        assert sentence.endswith(".")


def test_changed_weights_are_refused_before_they_are_loaded(tmp_path: Path) -> None:
    for name in ("pnet", "rnet", "onet"):
        copy = tmp_path / name
        shutil.copytree(gates.WEIGHTS, copy)
        body = bytearray((copy / f"{name}.onnx").read_bytes())
        body[len(body) // 2] ^= 1
        (copy / f"{name}.onnx").write_bytes(body)
        with pytest.raises(WeightsRefused):
            Gate(copy).load()


def test_the_manifest_names_every_network_and_no_other_file() -> None:
    manifest = json.loads((gates.WEIGHTS / "manifest.json").read_text())
    assert set(manifest) == {p.name for p in gates.WEIGHTS.glob("*.onnx")}
    for name, known in manifest.items():
        assert (gates.WEIGHTS / name).stat().st_size == known["bytes"]


def test_the_gate_keeps_nothing_of_a_face(gate: Gate, portrait: Image.Image) -> None:
    before = set(vars(gate))
    verdict = gate.check(portrait, "front", [])
    assert set(vars(gate)) == before
    assert set(vars(verdict)) == {"accepted", "code", "sentence", "hint", "quality", "face"}


@pytest.mark.parametrize("slot", SLOTS)
def test_it_takes_less_than_half_a_second(
    gate: Gate, portrait: Image.Image, views: dict[str, bytes], slot: str
) -> None:
    others = [images.open_reference(data) for data in views.values()][:4]
    picture = portrait.resize((1024, 1024))
    times = []
    for _ in range(3):
        began = time.process_time()
        gate.check(picture, slot, others)
        times.append(time.process_time() - began)
    assert min(times) < 0.5
