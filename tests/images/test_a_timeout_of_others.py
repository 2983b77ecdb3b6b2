"""A library that gives every new socket of the process a timeout, as kombu does, harms no photo."""

import io
import socket
from collections.abc import Iterator

import pytest
from PIL import Image

from workers.sandbox import Decoder


@pytest.fixture
def hurried() -> Iterator[None]:
    """Whatever socket this process makes meanwhile, waits for nobody."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(0.1)
    yield
    socket.setdefaulttimeout(before)


@pytest.mark.usefixtures("hurried")
def test_a_picture_larger_than_a_sockets_buffer_arrives_whole(decoder: Decoder) -> None:
    """Of three megabytes, the buffer between two processes takes two hundred kilobytes."""
    file = io.BytesIO()
    Image.effect_noise((1024, 1024), 60).convert("RGB").save(file, "PNG")
    for _ in range(3):
        found = decoder.decode(file.getvalue())
        assert len(found.rgb) == 1024 * 1024 * 3
