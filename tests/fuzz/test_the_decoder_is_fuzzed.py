"""I-02: a decoder that is driven astray by made-up files stays behind its walls.

The long run lets atheris look for files that reach new code, for all decoders at once, and gives
every file that it kept, and every one that it died of, to the real child. The short one changes
good files blindly. Each gets a verdict, and the keyless process that forks the children lives on.
"""

import importlib.util
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from deploy import figures
from deploy.env import ROOT
from tests.fuzz.size import LONG, TARGET
from tests.images.making import exif, file_of
from workers.sandbox import Decoder, DecoderBusy, NotAPhoto

MINUTES: Final = float(os.environ.get("SITTER_FUZZ_MINUTES", "3"))
BLIND: Final = 15
BUSY: Final = 3
KINDS: Final = ("JPEG", "PNG", "WEBP", "HEIC")
LIMITS: Final = ("-timeout=10", "-rss_limit_mb=1500", "-max_len=60000")


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    made = Decoder(strict=True)
    made.start()
    yield made
    made.close()


def seeds(kind: str) -> list[bytes]:
    """Small good files of one format, with all that a decoder looks at beside pixels."""
    if kind == "HEIC":
        return [(ROOT / "tests" / "photos" / "hopper.heic").read_bytes()]
    picture = Image.effect_noise((260, 260), 60).convert("RGB")
    more = {"PNG": {"optimize": True}, "WEBP": {"lossless": True}, "JPEG": {"progressive": True}}
    marked = file_of(picture, kind, exif=exif(b"seed", b""))
    return [file_of(picture, kind), marked, file_of(picture, kind, **more[kind])]


def blindly(kind: str) -> Iterator[bytes]:
    """Good files with a few other bytes, the same ones each time."""
    dice = random.Random(kind)
    for good in (dice.choice(seeds(kind)) for _ in range(BLIND)):
        spoilt = bytearray(good)
        for _ in range(dice.randrange(1, 30)):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        yield bytes(spoilt)


def sought(kind: str, folder: Path) -> tuple[list[bytes], int]:
    """(what atheris kept and what it died of, how many files it tried) within the minutes."""
    kept, finds = folder / "kept", folder / "finds"
    for made in (kept, finds):
        made.mkdir()
    for number, seed in enumerate(seeds(kind)):
        (kept / f"seed{number}").write_bytes(seed)
    # A file that it dies of ends it, so it is begun again with the rest of its time.
    tried, until = 0, time.monotonic() + MINUTES * 60
    while (left := until - time.monotonic()) > 5:
        options = (f"-max_total_time={left:.0f}", f"-artifact_prefix={finds}/")
        command = [sys.executable, "-m", "tests.fuzz.decoder", str(kept), *LIMITS, *options]
        ended = subprocess.run(
            [*command, "-print_final_stats=1"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        said = dict(
            line.removeprefix("stat::").split(":", 1)
            for line in ended.stderr.splitlines()
            if line.startswith("stat::")
        )
        tried += int(said.get("number_of_executed_units", "0"))
        # A fuzzer that does not run finds nothing either.
        assert tried, ended.stderr[-500:]
    files = [file for made in (kept, finds) for file in sorted(made.iterdir())]
    return [file.read_bytes() for file in files], tried


def guided(folder: Path) -> Iterator[tuple[list[bytes], int]]:
    """What was sought of each kind, in their order."""

    def seek(kind: str) -> tuple[list[bytes], int]:
        (folder / kind).mkdir()
        return sought(kind, folder / kind)

    with ThreadPoolExecutor(len(KINDS)) as pool:
        yield from pool.map(seek, KINDS)


def verdict(decoder: Decoder, data: bytes) -> str:
    """What is said of a file; a machine that is too busy to say is asked again."""
    for _ in range(BUSY):
        try:
            decoder.decode(data)
        except NotAPhoto as refusal:
            return refusal.code
        except DecoderBusy:
            continue
        return "decoded"
    return "busy"


@pytest.mark.timeout(7200 if LONG else 120)
def test_whatever_a_decoder_is_fed_it_stays_in_its_child(decoder: Decoder, tmp_path: Path) -> None:
    with_atheris = LONG and importlib.util.find_spec("atheris") is not None
    zygote, verdicts, tried, escapes = decoder.pid, Counter[str](), 0, 0
    blind = ((list(blindly(kind)), BLIND) for kind in KINDS)
    for found, looked in guided(tmp_path) if with_atheris else blind:
        tried += looked
        for data in found:
            verdicts[verdict(decoder, data)] += 1
            escapes += decoder.pid != zygote
            zygote = decoder.pid
    told = ", ".join(f"{code} {n}" for code, n in verdicts.most_common())
    figures.record(
        TARGET,
        "I-02",
        value=escapes,
        unit="",
        n=tried,
        holds=not escapes if with_atheris else (not escapes and None),
        conditions=(
            f"atheris, {MINUTES:g} minutes for each of {', '.join(KINDS)}, all at once; the "
            f"{verdicts.total()} files that it kept or died of went to the walled-in child"
            if with_atheris
            else "good files with other bytes, through the walled-in child"
        )
        + f": {told}",
    )
    assert escapes == 0
    assert not verdicts["busy"]
    # With the right files they would all be decoded, and with nonsense none would.
    assert len(verdicts) > 1
