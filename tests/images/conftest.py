"""One real decoder, one hostile one and one gate for the whole run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from deploy.demo.views import five_views
from workers import images
from workers.gate import Gate
from workers.sandbox import Decoder

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "deploy" / "demo" / "photo.jpg"
PHOTOS = ROOT / "tests" / "photos"


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(strict=True)
    decoder.start()
    yield decoder
    decoder.close()


@pytest.fixture(scope="session")
def hostile() -> Iterator[Decoder]:
    decoder = Decoder(strict=True, module="tests.images.hostile")
    decoder.start()
    yield decoder
    decoder.close()


@pytest.fixture(scope="session")
def gate() -> Gate:
    gate = Gate()
    gate.load()
    return gate


@pytest.fixture(scope="session")
def portrait() -> Image.Image:
    """The demo's photo, free of everything but its pixels."""
    with Image.open(PHOTO) as picture:
        return images.bare(picture.convert("RGB"))


@pytest.fixture(scope="session")
def astronaut() -> Image.Image:
    with Image.open(PHOTOS / "astronaut.jpg") as picture:
        return images.bare(picture.convert("RGB"))


@pytest.fixture(scope="session")
def heic() -> bytes:
    return (PHOTOS / "hopper.heic").read_bytes()


@pytest.fixture(scope="session")
def views() -> dict[str, bytes]:
    return five_views(PHOTO)
