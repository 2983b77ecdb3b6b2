"""What washes turn too far from afar is turned back, and nothing else of a painting changes."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from workers.engines import finishing, hues

MOST = finishing.TURNED["watercolour"]
SKIN = (238, 190, 178)


def plain(colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (256, 256), colour)


def seen(picture: Image.Image) -> tuple[float, float, float]:
    """(lightness, chroma, hue in degrees) of the middle."""
    pixels = np.asarray(picture, dtype=np.float32)[96:160, 96:160].reshape(-1, 3) / 255
    light, hue = hues.lab(np.asarray(pixels, dtype=np.float32))
    mean = complex(hue.mean())
    return float(light.mean()), abs(mean), float(np.degrees(np.angle(mean)))


def tinted(picture: Image.Image, degrees: float) -> Image.Image:
    light, hue = hues.lab(np.asarray(picture, dtype=np.float32) / np.float32(255))
    turned = np.asarray(hue * np.exp(1j * np.deg2rad(degrees)), dtype=np.complex64)
    return Image.fromarray((hues.srgb(light, turned) * 255).round().astype(np.uint8))


def test_the_way_there_and_back_changes_no_colour() -> None:
    colours = np.random.default_rng(1).random((64, 64, 3), dtype=np.float32)
    assert np.abs(hues.srgb(*hues.lab(colours)) - colours).max() < 1e-4


def test_a_colour_is_where_another_library_sees_it() -> None:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    # Blues are elsewhere for it, because its white is paper under warm light.
    for colour in (SKIN, (90, 60, 45), (200, 120, 60), (20, 150, 60)):
        packed = np.asarray(ImageCms.applyTransform(plain(colour), to_lab), dtype=np.int16)[0, 0]
        a, b = ((int(part) + 128) % 256 - 128 for part in packed[1:])
        light, chroma, hue = seen(plain(colour))
        # The other one counts from paper's white, and in whole numbers.
        assert light == pytest.approx(float(packed[0]) * 100 / 255, abs=1.5)
        assert chroma == pytest.approx(float(np.hypot(a, b)), rel=0.1)
        assert hue == pytest.approx(float(np.degrees(np.arctan2(b, a))), abs=4.0)


@pytest.mark.parametrize("degrees", [25.0, -25.0, 60.0])
def test_a_hue_that_turned_too_far_is_turned_back(degrees: float) -> None:
    photo = plain(SKIN)
    painted = tinted(photo, degrees)
    light, chroma, hue = seen(painted)
    kept = seen(finishing.keep_hue(painted, photo, "watercolour"))
    assert abs(hue - seen(photo)[2]) == pytest.approx(abs(degrees), abs=1.0)
    # A little more, because the skin is not far from grey.
    assert abs(kept[2] - seen(photo)[2]) < MOST + 4.0
    assert kept[0] == pytest.approx(light, abs=1.0)
    assert kept[1] == pytest.approx(chroma, abs=1.5)


def test_a_hue_within_the_bounds_is_left_as_it_was_painted() -> None:
    painted = tinted(plain(SKIN), MOST - 2.0)
    kept = finishing.keep_hue(painted, plain(SKIN), "watercolour")
    assert kept.tobytes() == painted.tobytes()


def test_a_wash_keeps_its_difference_from_its_neighbour() -> None:
    photo, painted = plain(SKIN), np.asarray(tinted(plain(SKIN), 30.0), dtype=np.int16).copy()
    painted[:, ::2] -= 12
    before = Image.fromarray(painted.astype(np.uint8))
    after = np.asarray(finishing.keep_hue(before, photo, "watercolour"), dtype=np.int16)
    assert np.abs((after[:, ::2] - after[:, 1::2]) + 12).max() <= 2


def test_what_is_nearly_grey_keeps_the_tint_of_the_paper() -> None:
    photo, painted = plain((200, 201, 203)), plain((203, 201, 196))
    kept = np.asarray(finishing.keep_hue(painted, photo, "watercolour"), dtype=np.int16)
    assert np.abs(kept - np.asarray(painted, dtype=np.int16)).max() <= 2


def test_other_styles_are_left_alone() -> None:
    painted = tinted(plain(SKIN), 60.0)
    assert finishing.keep_hue(painted, plain(SKIN), "oil") is painted
