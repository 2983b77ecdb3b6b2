"""Every way in which a camera or an app writes a good photo ends as the same small RGB picture."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, JpegImagePlugin

from tests.images.making import file_of
from workers import images, sizes
from workers.sandbox import Decoder

LIGHT, DARK = (230, 60, 40), (20, 40, 200)


def two_halves(mode: str = "RGB", size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Red above blue."""
    picture = Image.new("RGB", size, LIGHT)
    picture.paste(DARK, (0, size[1] // 2, *size))
    return picture.convert(mode)


def middle_of(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    pixel = picture.getpixel((int(picture.width * x), int(picture.height * y)))
    assert isinstance(pixel, tuple)
    return tuple(int(v) for v in pixel)


def near(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_photo_is_reduced_to_1024(
    decoder: Decoder, portrait: Image.Image, kind: str
) -> None:
    found = decoder.decode(file_of(portrait.resize((2048, 2400)), kind))
    assert (found.width, found.height, found.source_format) == (874, 1024, kind)
    reference = portrait.resize((874, 1024), Image.Resampling.LANCZOS)
    difference = np.asarray(images.rebuild(found), float) - np.asarray(reference, float)
    assert np.abs(difference).mean() < 3


def test_a_small_photo_is_never_enlarged(decoder: Decoder) -> None:
    found = decoder.decode(file_of(two_halves(), "PNG"))
    assert (found.width, found.height) == (400, 300)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_is_turned_upright(decoder: Decoder, kind: str, turn: int) -> None:
    upright = two_halves()
    back = {5: 5, 6: 8, 8: 6}.get(turn, turn)
    sideways = upright if turn == 1 else upright.transpose(images.TURNS[back])
    mark = Image.Exif()
    mark[images.ORIENTATION] = turn
    found = images.rebuild(decoder.decode(file_of(sideways, kind, exif=mark)))
    assert found.size == (400, 300)
    assert near(middle_of(found, 0.5, 0.2), LIGHT, 25)
    assert near(middle_of(found, 0.5, 0.8), DARK, 25)


def test_a_cmyk_jpeg_becomes_rgb(decoder: Decoder) -> None:
    found = images.rebuild(decoder.decode(file_of(two_halves("CMYK"), "JPEG", quality=95)))
    assert near(middle_of(found, 0.5, 0.2), LIGHT, 20)


def test_grey_photos_become_rgb(decoder: Decoder) -> None:
    for mode, kind in (("L", "JPEG"), ("L", "PNG"), ("1", "PNG"), ("LA", "PNG")):
        found = images.rebuild(decoder.decode(file_of(two_halves(mode), kind)))
        red, green, blue = middle_of(found, 0.5, 0.8)
        assert red == green == blue


def test_a_16_bit_png_keeps_its_tones(decoder: Decoder) -> None:
    ramp = np.tile(np.linspace(0, 65535, 400).astype(np.uint16), (300, 1))
    found = images.rebuild(decoder.decode(file_of(Image.fromarray(ramp), "PNG")))
    assert near(middle_of(found, 0.5, 0.5), (128, 128, 128), 2)
    assert near(middle_of(found, 0.25, 0.5), (64, 64, 64), 2)


def test_a_palette_png_becomes_rgb(decoder: Decoder) -> None:
    found = images.rebuild(decoder.decode(file_of(two_halves("P"), "PNG")))
    assert near(middle_of(found, 0.5, 0.8), DARK, 30)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(decoder: Decoder, kind: str) -> None:
    picture = two_halves("RGBA")
    picture.putalpha(Image.new("L", picture.size, 0))
    found = images.rebuild(decoder.decode(file_of(picture, kind)))
    assert middle_of(found, 0.5, 0.5) == (255, 255, 255)


def test_a_palette_with_a_transparent_colour_becomes_white(decoder: Decoder) -> None:
    picture = two_halves().quantize(2)
    index = picture.getpixel((5, 5))
    found = images.rebuild(decoder.decode(file_of(picture, "PNG", transparency=index)))
    assert middle_of(found, 0.5, 0.2) == (255, 255, 255)


def test_the_primary_picture_of_a_multi_picture_jpeg_is_taken(decoder: Decoder) -> None:
    other = Image.new("RGB", (400, 300), "black")
    stream = io.BytesIO()
    two_halves().save(stream, "MPO", save_all=True, append_images=[other])
    found = decoder.decode(stream.getvalue())
    assert found.source_format == "JPEG"
    assert near(middle_of(images.rebuild(found), 0.5, 0.2), LIGHT, 25)


def test_a_heic_photo_is_opened(decoder: Decoder, heic: bytes, portrait: Image.Image) -> None:
    found = decoder.decode(heic)
    assert (found.width, found.height, found.source_format) == (512, 600, "HEIC")
    difference = np.asarray(images.rebuild(found), float) - np.asarray(portrait, float)
    assert np.abs(difference).mean() < 8


def test_colours_are_converted_from_the_profile(decoder: Decoder) -> None:
    """A profile with red and blue exchanged shows whether it was used at all."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, blue = lab.find(b"rXYZ", 128), lab.find(b"bXYZ", 128)
    body = bytearray(lab)
    body[red + 4 : red + 12], body[blue + 4 : blue + 12] = (
        lab[blue + 4 : blue + 12],
        lab[red + 4 : red + 12],
    )
    data = file_of(two_halves(), "PNG", icc_profile=bytes(body))
    found = images.rebuild(decoder.decode(data))
    assert near(middle_of(found, 0.5, 0.2), LIGHT[::-1], 12)


def test_a_broken_profile_costs_nothing_but_itself(decoder: Decoder) -> None:
    found = images.rebuild(decoder.decode(file_of(two_halves(), "PNG", icc_profile=b"x" * 300)))
    assert near(middle_of(found, 0.5, 0.2), LIGHT)


def test_pixels_do_not_show_in_the_repr(decoder: Decoder) -> None:
    assert "rgb" not in repr(decoder.decode(file_of(two_halves(), "PNG")))


def test_renditions_have_their_sizes(portrait: Image.Image) -> None:
    made = sizes.renditions(portrait.resize((874, 1024)), key="test")
    assert [(r.name, max(r.width, r.height)) for r in made] == [
        ("full", 1024),
        ("preview", 512),
        ("thumb", 192),
    ]
    for rendition in made:
        with Image.open(io.BytesIO(rendition.data)) as opened:
            assert opened.size == (rendition.width, rendition.height)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_portrait_can_be_encoded_in_three_formats(portrait: Image.Image, kind: str) -> None:
    with Image.open(io.BytesIO(images.encode_portrait(portrait, kind))) as opened:
        assert opened.format == kind


def test_a_reference_keeps_the_colour_at_full_size(portrait: Image.Image) -> None:
    data = images.encode_reference(portrait)
    with Image.open(io.BytesIO(data)) as opened:
        assert JpegImagePlugin.get_sampling(opened) == 0
    assert images.open_reference(data).size == portrait.size
