"""The demo's five photos come from one free photo, and always the same way."""

from pathlib import Path

import pytest
from PIL import Image

from deploy.demo.views import five_views
from tests.images.conftest import PHOTO
from workers import images
from workers.sandbox import Decoder


def test_the_same_photo_gives_the_same_views(views: dict[str, bytes]) -> None:
    assert five_views(PHOTO) == views


def test_every_view_goes_through_the_real_intake(decoder: Decoder, views: dict[str, bytes]) -> None:
    for data in views.values():
        picture = images.rebuild(decoder.decode(data))
        assert max(picture.size) >= 900


def test_another_photo_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "photo.jpg"
    Image.new("RGB", (512, 600)).save(other)
    with pytest.raises(ValueError, match="own photo only"):
        five_views(other)
