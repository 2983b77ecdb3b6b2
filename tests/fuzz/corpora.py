"""Malformed pictures that others have collected: those of Pillow, of pillow-heif and of AFL.

None is in this repository. The long run fetches the sources of the two libraries through pip and
AFL's seeds through apt, once, into var/fuzz, and looks into them without unpacking. Where one
cannot be had, it is missing from the list, and the figure says so.
"""

import io
import lzma
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy.env import ROOT

FOLDER: Final = ROOT / "var" / "fuzz"
# name → version, and which of its files are the corpus.
SOURCES: Final = {
    "pillow": ("13.0.0", "/Tests/images/"),
    "pillow-heif": ("1.4.0", "/tests/images/"),
}
SEEDS: Final = "afl++-doc"
CASES: Final = "/testcases/"
# Nothing larger is taken by the endpoint, and sending it shows only that.
LARGEST: Final = 15_000_000


def files() -> Iterator[tuple[str, bytes]]:
    """(where it comes from, the file) of everything that can be had."""
    for name, (version, folder) in SOURCES.items():
        if archive := _source(name, version):
            with tarfile.open(archive) as found:
                yield from _inside(name, found, folder)
    if package := _package():
        with tarfile.open(fileobj=io.BytesIO(package)) as found:
            yield from _inside(SEEDS, found, CASES)


def _inside(name: str, archive: tarfile.TarFile, folder: str) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        if member.isfile() and folder in member.name and 0 < member.size <= LARGEST:
            file = archive.extractfile(member)
            assert file is not None
            yield f"{name}: {member.name.split(folder, 1)[1]}", file.read()


def _source(name: str, version: str) -> Path | None:
    """The source distribution, from wherever pip gets its packages."""
    asked = [*("download", "--no-deps", "--no-binary", ":all:"), f"{name}=={version}"]
    return _fetched(
        f"{name.replace('-', '_')}-{version}.tar.gz",
        [sys.executable, "-m", "pip", "--quiet", *asked, "-d", str(FOLDER)],
    )


def _package() -> bytes | None:
    """The data of Debian's package: the third member of an ar archive, packed by xz."""
    file = _fetched(f"{SEEDS}_*.deb", ["apt-get", "download", "--quiet", SEEDS])
    if file is None:
        return None
    archive, place = file.read_bytes(), 8
    while place < len(archive):
        name, size = archive[place : place + 16], int(archive[place + 48 : place + 58])
        body = archive[place + 60 : place + 60 + size]
        if name.startswith(b"data.tar.xz"):
            return lzma.decompress(body)
        place += 60 + size + size % 2
    return None


def _fetched(pattern: str, command: list[str]) -> Path | None:
    """A file that is there, or that the command brings."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not list(FOLDER.glob(pattern)):
        try:
            subprocess.run(command, cwd=FOLDER, check=False, capture_output=True, timeout=900)
        except (OSError, subprocess.TimeoutExpired):
            return None
    return next(iter(sorted(FOLDER.glob(pattern))), None)
