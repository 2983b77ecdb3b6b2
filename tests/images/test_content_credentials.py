"""Content credentials: read back by a reader of our own making, by the signer's library, and by
an implementation of somebody else's in another language.
"""

import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from PIL import Image

from deploy.stack import certificates
from portraits import provenance
from tests.figures import figure
from tests.images import credentials
from workers import fitness, manifest, sizes

WEIGHTS = "ab" * 32
KINDS = ("JPEG", "PNG", "WEBP", "AVIF")
# AVIF binds its boxes one by one; the reader of our own knows the three plain files.
PLAIN = KINDS[:3]
Made = Callable[[str], bytes]
# It does not read WebP, and looks at everything but whether the root is ours.
ELSEWHERE = {"JPEG": "jpg", "PNG": "png", "AVIF": "avif"}
READER = Path(__file__).parent / "reader"
without_node = pytest.mark.skipif(
    shutil.which("npm") is None and "SITTER_TEST_NODE" not in os.environ,
    reason="needs Node and npm",
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("c2pa")
    certificates.ensure(folder)
    return folder


@pytest.fixture(scope="module")
def root(keys: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((keys / certificates.ROOT).read_bytes())


@cache
def marked(kind: str) -> bytes:
    """A portrait in a format, before it is signed: the same each time."""
    return provenance.mark(sizes.renditions(fitness.drawn(), kind, key="test")[0].data)


@pytest.fixture(scope="module")
def made(keys: Path) -> Made:
    """A newly signed portrait in a format."""
    signer = manifest.Signer(keys, version="0.2.0")

    def make(kind: str) -> bytes:
        media = f"image/{kind.lower()}"
        return signer.sign(marked(kind), media, engine="pocket", weights_sha256=WEIGHTS)

    return make


@pytest.mark.parametrize("kind", PLAIN)
def test_a_separate_reader_finds_every_promise_kept(
    kind: str, made: Made, root: x509.Certificate
) -> None:
    data = made(kind)
    found = credentials.read(data, root)
    (action,) = found.assertions["c2pa.actions.v2"]["actions"]
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"] == provenance.SOURCE_TYPE
    assert found.assertions[manifest.ENGINE] == {"engine": "pocket", "weights_sha256": WEIGHTS}
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        assert picture.size == (fitness.SIDE, fitness.SIDE)


@pytest.mark.parametrize("kind", PLAIN)
def test_it_holds_no_ingredient_no_thumbnail_and_no_id_but_random_ones(
    kind: str, made: Made, root: x509.Certificate
) -> None:
    first, second = (credentials.read(made(kind), root) for _ in range(2))
    assert set(first.assertions) == {"c2pa.actions.v2", manifest.ENGINE, "c2pa.hash.data"}
    assert first.labels == ("c2pa.assertions", "c2pa.claim.v2", "c2pa.signature")
    assert first.label != second.label
    same = {"instanceID", "signature", "created_assertions", "gathered_assertions"}
    said, again = (
        {name: value for name, value in read.claim.items() if name not in same}
        for read in (first, second)
    )
    assert said == again
    assert first.claim["instanceID"] != second.claim["instanceID"]


@pytest.mark.parametrize("kind", PLAIN)
def test_a_changed_picture_a_changed_word_and_a_strange_root_are_all_found(
    kind: str, made: Made, root: x509.Certificate, tmp_path: Path
) -> None:
    data = made(kind)
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    with pytest.raises(ValueError, match="changed"):
        credentials.read(bytes(changed), root)
    other = data.replace(b"pocket", b"rocket")
    with pytest.raises((ValueError, InvalidSignature)):
        credentials.read(other, root)
    certificates.ensure(tmp_path)
    strange = x509.load_pem_x509_certificate((tmp_path / certificates.ROOT).read_bytes())
    with pytest.raises((ValueError, InvalidSignature)):
        credentials.read(data, strange)


def trusting(root: x509.Certificate, keys: Path) -> Any:
    anchors = (keys / certificates.ROOT).read_text()
    chosen = {"version": 1, "trust": {"trust_anchors": anchors}, "verify": {"verify_trust": True}}
    return c2pa.Context.builder().with_settings(c2pa.Settings.from_dict(chosen)).build()


@pytest.mark.parametrize("kind", KINDS)
def test_the_library_trusts_it_under_our_root(
    kind: str, made: Made, root: x509.Certificate, keys: Path
) -> None:
    stream = io.BytesIO(made(kind))
    with c2pa.Reader(f"image/{kind.lower()}", stream, context=trusting(root, keys)) as reader:
        said = json.loads(reader.json())
    assert said["validation_state"] == "Trusted"
    (only,) = said["manifests"].values()
    assert "thumbnail" not in only
    assert not only.get("ingredients")


def test_every_signed_portrait_is_read_back(made: Made, root: x509.Certificate) -> None:
    read = [credentials.read(made(kind), root) for kind in PLAIN for _ in range(20)]
    assert len({found.label for found in read}) == len(read)
    figure(
        "W-03",
        value="100 %; 0",
        n=len(read),
        holds=True,
        conditions="JPEG, PNG, WebP; a reader written from the specifications, our root alone",
    )


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the reader that is not ours, installed by its lock."""
    folder = tmp_path_factory.mktemp("reader")
    for file in READER.iterdir():
        shutil.copy(file, folder)
    command = ("npm", "ci", "--omit=optional", "--no-audit", "--no-fund", "--ignore-scripts")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    if done.returncode and "SITTER_TEST_NODE" not in os.environ:
        pytest.skip("npm could not install the reader; is there a registry?")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def read_elsewhere(folder: Path, files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """What the other reader says of each file, by its name."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = ("node", "read.mjs", *files)
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=True
    )
    return {found["name"]: found for found in json.loads(done.stdout)}


@without_node
def test_another_implementation_finds_every_one_whole_and_every_change(
    foreign: Path, made: Made
) -> None:
    whole = {
        f"{number}.{suffix}": made(kind)
        for kind, suffix in ELSEWHERE.items()
        for number in range(5)
    }
    found = read_elsewhere(foreign, whole)
    assert {name: said["codes"] for name, said in found.items() if not said["valid"]} == {}
    for said in found.values():
        assert "+claimSignature.validated" in said["codes"]
    changed = {}
    for name, data in whole.items():
        spoiled = bytearray(data)
        # In the pixels, which come last in each of these formats.
        spoiled[-len(data) // 4] ^= 1
        changed[f"changed-{name}"] = bytes(spoiled)
    found = read_elsewhere(foreign, changed)
    assert {name for name, said in found.items() if said["valid"]} == set()


def test_a_key_that_does_not_fit_its_certificate_signs_nothing(keys: Path, tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    (tmp_path / certificates.KEY).write_bytes((keys / certificates.KEY).read_bytes())
    other = keys / certificates.CHAIN
    (tmp_path / certificates.CHAIN).write_bytes(other.read_bytes().replace(b"M", b"N"))
    size = sizes.renditions(fitness.drawn(), key="test")[0]
    with pytest.raises((manifest.Unsigned, c2pa.C2paError)):
        manifest.Signer(tmp_path, version="1").sign(
            size.data, "image/jpeg", engine="pocket", weights_sha256=WEIGHTS
        )


def test_a_chain_that_is_there_is_left_alone(keys: Path) -> None:
    before = (keys / certificates.CHAIN).read_bytes()
    certificates.ensure(keys)
    assert (keys / certificates.CHAIN).read_bytes() == before
    assert all(file.stat().st_mode & 0o077 == 0 for file in keys.iterdir())
