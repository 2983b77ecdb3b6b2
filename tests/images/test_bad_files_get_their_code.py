"""Whatever a person uploads by mistake or on purpose gets one stable code and one sentence."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from tests.images.making import file_of, frames, png_bomb
from workers import images, sandbox
from workers.sandbox import (
    AnimatedImage,
    DecodeFailed,
    Decoder,
    NotAPhoto,
    TooManyPixels,
    TruncatedImage,
)


def refusal(decoder: Decoder, data: bytes) -> str:
    with pytest.raises(NotAPhoto) as caught:
        decoder.decode(data)
    assert str(caught.value) == caught.value.sentence
    return caught.value.code


def test_every_refusal_has_its_own_code_and_a_sentence() -> None:
    codes = [refusal.code for refusal in sandbox.REFUSALS]
    assert len(set(codes)) == len(codes) == len({r.sentence for r in sandbox.REFUSALS})
    assert all(r.sentence.endswith(".") for r in sandbox.REFUSALS)


def test_it_refuses_an_empty_file(decoder: Decoder) -> None:
    assert refusal(decoder, b"") == "empty_file"


def test_it_refuses_a_file_beyond_every_photo(decoder: Decoder) -> None:
    assert refusal(decoder, bytes(sandbox.MAX_BYTES + 1)) == "file_too_large"


@pytest.mark.parametrize("data", [b"Dear diary, ", b"x", b"PK\3\4", b"BMW is a car "])
def test_it_refuses_what_only_its_name_calls_a_photo(decoder: Decoder, data: bytes) -> None:
    assert refusal(decoder, data * 40) == "not_an_image"


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "ICO", "PDF", "AVIF"])
def test_it_refuses_other_formats_by_name(
    decoder: Decoder, portrait: Image.Image, kind: str
) -> None:
    if kind == "AVIF":
        data = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(500)
    else:
        data = file_of(portrait.resize((256, 256)), kind)
    assert refusal(decoder, data) == "unsupported_format"


def test_it_refuses_a_moving_gif_as_a_format(decoder: Decoder, portrait: Image.Image) -> None:
    assert refusal(decoder, frames(portrait, "GIF")) == "unsupported_format"


@pytest.mark.parametrize("head", [b"8BPS\0\1", b"<svg xmlns=", b"\0\0\0\x0cjP  \r\n", b"\xff\x0a"])
def test_it_knows_the_pictures_that_it_does_not_take(decoder: Decoder, head: bytes) -> None:
    assert refusal(decoder, head + bytes(100)) == "unsupported_format"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.01, 0.3, 0.7, 0.95])
def test_it_refuses_half_a_photo(
    decoder: Decoder, portrait: Image.Image, kind: str, part: float
) -> None:
    data = file_of(portrait, kind)
    assert refusal(decoder, data[: max(30, int(len(data) * part))]) == "truncated_image"


@pytest.mark.parametrize("part", [0.01, 0.3, 0.7, 0.95])
def test_it_refuses_half_a_heic(decoder: Decoder, heic: bytes, part: float) -> None:
    assert refusal(decoder, heic[: int(len(heic) * part)]) == "truncated_image"


def test_it_refuses_a_bomb_by_its_header(decoder: Decoder) -> None:
    bomb = png_bomb(12000, 12000)
    assert len(bomb) < 25_000
    assert refusal(decoder, bomb) == "too_many_pixels"
    assert refusal(decoder, png_bomb(30000, 30000)) == "too_many_pixels"


def test_it_refuses_a_webp_bomb_before_its_canvas_is_allocated(decoder: Decoder) -> None:
    canvas = (16382).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + canvas + bytes(40)
    data = b"RIFF" + len(body).to_bytes(4, "little") + body
    assert refusal(decoder, data) == "too_many_pixels"


def test_it_refuses_more_deep_pixels_than_fit_into_a_child() -> None:
    """A camera's file of this kind is of a person's own, and stays out of this repository."""
    deep = Image.new("1", (6_000, 5_001))
    images._check_depth(deep)
    deep.info["bit_depth"] = 10
    with pytest.raises(DecodeFailed):
        images._check_depth(deep)
    images._check_depth(deep.crop((0, 0, 6_000, 5_000)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_it_refuses_an_animation(decoder: Decoder, portrait: Image.Image, kind: str) -> None:
    assert refusal(decoder, frames(portrait, kind)) == "animated_image"


@pytest.mark.parametrize("size", [(255, 400), (400, 200), (256, 1100), (3000, 300)])
def test_it_refuses_what_is_too_small_or_too_narrow(
    decoder: Decoder, portrait: Image.Image, size: tuple[int, int]
) -> None:
    assert refusal(decoder, file_of(portrait.resize(size), "JPEG")) == "too_small"


def test_the_format_is_decided_by_the_bytes_and_not_by_another_decoder(decoder: Decoder) -> None:
    """A PNG behind the first bytes of a JPEG is opened by the JPEG decoder alone."""
    data = b"\xff\xd8\xff" + file_of(Image.new("RGB", (300, 300)), "PNG")
    assert refusal(decoder, data) == "truncated_image"


def test_a_photo_with_a_damaged_middle_never_breaks_the_decoder(
    decoder: Decoder, portrait: Image.Image, heic: bytes
) -> None:
    samples = [file_of(portrait, kind) for kind in ("JPEG", "PNG", "WEBP")] + [heic]
    for data in samples:
        for place in range(40, len(data), len(data) // 12):
            damaged = data[:place] + bytes(b ^ 0x5A for b in data[place : place + 9])
            with contextlib.suppress(TruncatedImage, TooManyPixels, AnimatedImage, DecodeFailed):
                decoder.decode(damaged + data[place + 9 :])


MAGIC = (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(head=st.sampled_from([*MAGIC, b"\0\0\0\x18ftypheic\0\0\0\0"]), tail=st.binary(max_size=400))
def test_noise_is_always_refused_and_never_a_crash(
    decoder: Decoder, head: bytes, tail: bytes
) -> None:
    with pytest.raises(NotAPhoto) as caught:
        decoder.decode(head + tail)
    assert caught.value.code not in {"decode_failed", "decode_timeout"}


def test_nothing_of_a_file_stands_in_its_refusal(decoder: Decoder) -> None:
    with pytest.raises(NotAPhoto) as caught:
        decoder.decode(b"\xff\xd8\xff" + b"CANARY" * 100)
    assert "CANARY" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_truncated_photo_is_never_loaded_in_part() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    whole = file_of(Image.effect_noise((400, 400), 90).convert("RGB"), "JPEG")
    with pytest.raises(TruncatedImage):
        images.decode(whole[: len(whole) // 2])
