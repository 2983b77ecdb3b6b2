"""I-01: what breaks image libraries breaks nothing here, sent as an app sends a photo.

The short run sends a third of sixty bombs. The long one sends all of them, and every picture that
Pillow, pillow-heif and AFL have collected. Each file gets a verdict in time, and the processes
that gave it go on.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from deploy import figures
from tests.api.people import People, Person
from tests.fuzz import corpora
from tests.fuzz.bombs import bombs
from tests.fuzz.size import LONG, TARGET, pick
from tests.fuzz.watching import Watch

# As many as the intake opens at once.
SENDERS: Final = 2
SECONDS: Final = 8.0
GROWN_MB: Final = 300
CHILD_MB: Final = 512
WHOLE: Final = 1_000

Verdict = tuple[str, int, str, float]


def verdict(person: Person, made: str, name: str, data: bytes) -> Verdict:
    """(file, status, code, seconds) of one file, from its first byte to what is said of it."""
    begun = time.monotonic()
    address = f"/v1/reference-sets/{made}"
    answer = person.http.put(
        f"{address}/photos/front", content=data, headers={"Content-Type": "image/jpeg"}
    )
    status, said = answer.status_code, answer.json()
    while status == 202 and time.monotonic() - begun < 4 * SECONDS:
        time.sleep(0.1)
        (photo,) = person.http.get(address).json()["photos"]
        if photo["state"] != "checking":
            status, said = (200 if photo["state"] == "accepted" else 422), photo
    code = said["errors"][0]["code"] if "errors" in said else str(said.get("code"))
    return name, status, code, time.monotonic() - begun


def send(person: Person, files: Iterable[tuple[str, bytes]]) -> list[Verdict]:
    made = person.new_set()
    return [verdict(person, made, name, data) for name, data in files]


def again(person: Person, told: Verdict, files: dict[str, bytes]) -> Verdict:
    """A slow file is sent once more by itself: two that are opened at once share the cores."""
    name, _, _, seconds = told
    return send(person, [(name, files[name])])[0] if seconds > SECONDS else told


@pytest.mark.timeout(3600 if LONG else 240)
def test_no_file_breaks_what_opens_it(people: People, views: dict[str, bytes]) -> None:
    own = list(bombs(every=pick(3, 1)))
    assert len(own) == pick(20, 60)
    files = [*own, *corpora.files()] if LONG else own
    crowd = [people.make() for _ in range(SENDERS)]
    for person in crowd:
        assert send(person, [("a photo", views["front"])])[0][1] == 200
    hands = [itertools.islice(files, first, None, SENDERS) for first in range(SENDERS)]
    with Watch(people.live) as watch, ThreadPoolExecutor(SENDERS) as pool:
        told = list(itertools.chain(*pool.map(send, crowd, hands)))
        told = [again(crowd[0], each, dict(files)) for each in told]
    record(told, watch)
    assert [each for each in told if each[1] not in (200, 422)] == []
    assert [each for each in told if each[3] > SECONDS] == []
    assert watch.crashed == []
    assert watch.grown <= GROWN_MB
    assert watch.decoding <= CHILD_MB * 2**20
    for person in crowd:
        assert send(person, [("a photo", views["front"])])[0][1] == 200


def record(told: list[Verdict], watch: Watch) -> None:
    faults = [each for each in told if each[1] >= 500]
    slowest = max(told, key=lambda each: each[3])
    well = not (faults or watch.crashed) and slowest[3] <= SECONDS and watch.grown <= GROWN_MB
    codes = ", ".join(f"{code} {n}" for code, n in Counter(each[2] for each in told).most_common())
    figures.record(
        TARGET,
        "I-01",
        value=f"{len(watch.crashed)} / {len(faults)}",
        unit="",
        n=len(told),
        holds=(well and None) if len(told) < WHOLE else well,
        conditions=f"{SENDERS} at a time over HTTP, "
        + (
            "60 bombs of our own and the corpora of Pillow, pillow-heif and AFL"
            if LONG
            else "bombs"
        )
        + f"; slowest {slowest[3]:.1f} s ({slowest[0]}); web and intake grew by {watch.grown} MB"
        f" at most, a sandboxed child by {watch.decoding // 2**20} MB; {codes}",
    )
    if LONG:
        rows = [
            dict(zip(("file", "status", "code", "seconds"), each, strict=True)) for each in told
        ]
        (corpora.FOLDER / "files.json").write_text(json.dumps(rows, indent=1) + "\n")
