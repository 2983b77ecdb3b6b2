"""R2: the same tiny pipeline behind us, LitServe, BentoML, Ray Serve, and in a bare loop.

Each contender paints on one thread for clients who ask again as soon as they are answered.
A peer's client posts a seed and is answered with a JPEG. Ours signs in, submits a job, waits for
its end and fetches the portrait: sealing, states, audit and the mark of AI are on. Contenders take
turns, round after round, on one machine.
"""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from PIL import Image

from deploy.stack import roles
from deploy.stack.supervisor import Stack
from tests import styles
from tests.bench import report
from tests.bench.peers import tiny
from tests.bench.peers.contenders import (
    FOLDER,
    HERE,
    PEERS,
    TINY,
    ask,
    cpu_seconds,
    environment,
    serving,
)
from tests.bench.servers import UNBOUNDED
from tests.chaos.person import Person

ENGINE = "tests.bench.peers.engine:TinyEngine"
# With fewer clients less is left to be painted once the time is over.
ROUNDS, SECONDS, CLIENTS = (5, 60.0, 8) if os.environ.get("FULL") else (5, 10.0, 4)
FIRST_PORT = 18_200
Paint = Callable[[int], None]


def run() -> None:
    """Rounds of all contenders in turn; rows for R2."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (TINY / "model_index.json").exists():
        tiny.save(TINY)
    for peer in PEERS:
        peer.install()
    found: dict[str, list[dict[str, float]]] = {}
    with _ours() as (people, pids):
        for number in range(ROUNDS):
            found.setdefault("bare", []).append(_bare())
            for index, peer in enumerate(PEERS):
                port = FIRST_PORT + number * len(PEERS) + index
                with serving(peer, port) as process:
                    measured = _closed_loop([_asker(port)] * CLIENTS, [process.pid])
                found.setdefault(peer.name, []).append(measured)
            painters = [_asker_of_ours(person) for person in people]
            found.setdefault("sitter", []).append(_closed_loop(painters, pids))
            print(json.dumps({name: rows[-1] for name, rows in found.items()}))
    _say(found, _mark_ms())


def _closed_loop(painters: list[Paint], pids: list[int]) -> dict[str, float]:
    """Each client asks again and again for a while; what was answered by then counts."""
    waits: list[float] = []
    ends: list[float] = []
    began, burnt = time.monotonic(), cpu_seconds(pids)
    end = began + SECONDS

    def client(paint: Paint, first: int) -> None:
        seed = first
        while time.monotonic() < end:
            seed += 1
            asked = time.monotonic()
            paint(seed)
            if time.monotonic() < end:
                ends.append(time.monotonic())
                waits.append(ends[-1] - asked)

    threads = [
        threading.Thread(target=client, args=(paint, 10_000 * index), daemon=True)
        for index, paint in enumerate(painters)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = len(waits)
    # From one answer to the last, because a dozen answers a round counted against its length would
    # come out in steps of a twelfth.
    return {
        "images_s": (done - 1) / (max(ends) - min(ends)),
        "p50_s": statistics.median(waits),
        "p95_s": report.p95(waits),
        # The last pictures were begun in time and ended after it; their share is the same for all.
        "cpu_s_per_image": (cpu_seconds(pids) - burnt) / (done + len(painters)),
    }


def _bare() -> dict[str, float]:
    script = str(HERE / "serve_bare.py")
    command = [sys.executable, script, str(TINY), str(SECONDS)]
    answered = subprocess.run(
        command, cwd=HERE, env=environment(), check=True, capture_output=True, text=True
    )
    taken = [float(line) for line in answered.stdout.split()]
    return {
        "images_s": len(taken) / sum(taken),
        "p50_s": statistics.median(taken),
        "p95_s": report.p95(taken),
    }


def _asker(port: int) -> Paint:
    def paint(seed: int) -> None:
        answer = ask(port, seed)
        assert answer.is_success, answer.status_code
        assert answer.content.startswith(b"\xff\xd8")

    return paint


def _asker_of_ours(person: Person) -> Paint:
    def paint(seed: int) -> None:
        body = {"items": [{"style": "tiny", "seed": seed}]}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        job = person.ok(person.http.post("/v1/jobs", json=body, headers=headers))
        tag = ""
        while job["state"] in ("queued", "running"):
            answer = person.http.get(
                f"/v1/jobs/{job['id']}?wait=30", headers={"If-None-Match": tag} if tag else {}
            )
            tag = answer.headers.get("ETag", "")
            if answer.status_code != 304:
                job = person.ok(answer)
        assert job["state"] == "done", job["items"][0]["code"]
        picture = person.http.get(f"/v1/portraits/{job['items'][0]['portrait']}/image")
        assert picture.content.startswith(b"\xff\xd8")

    return paint


@contextmanager
def _ours() -> Iterator[tuple[list[Person], list[int]]]:
    """The embedded stack with the tiny engine and people who are signed in."""
    extra = {
        "SITTER_ENGINES": json.dumps([ENGINE]),
        "SITTER_TEST_TINY": str(TINY),
        "OMP_NUM_THREADS": "1",
        **UNBOUNDED,
    }
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder:
        stack = Stack(Path(folder), roles=roles.ALL, preferred_ports=False, extra_env=extra)
        people: list[Person] = []
        try:
            stack.start()
            stack.wait_ready()
            styles.publish(stack, "tiny", ENGINE, width=tiny.SIZE, height=tiny.SIZE, references=0)
            people = [Person(stack.urls.web) for _ in range(CLIENTS)]
            _asker_of_ours(people[0])(1)
            # Everything that serves: roles, PostgreSQL, Valkey and the S3 server.
            yield people, [child.pid for child in psutil.Process().children()]
        finally:
            for person in people:
                person.close()
            stack.stop()


def _mark_ms() -> float:
    """The mark of AI alone, which peers do not set."""
    from portraits import provenance

    picture = tiny.jpeg(Image.new("RGB", (tiny.SIZE, tiny.SIZE)))
    assert Image.open(io.BytesIO(provenance.mark(picture))).size == (tiny.SIZE, tiny.SIZE)
    return statistics.median(report.seconds(lambda: provenance.mark(picture), 200)) * 1000


def _say(found: dict[str, list[dict[str, float]]], mark_ms: float) -> None:
    middle = {
        name: {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        for name, rows in found.items()
    }
    print("| contender | images/s | p50 s | p95 s | CPU s an image |\n|---|---|---|---|---|")
    for name, row in middle.items():
        burnt = f"{row['cpu_s_per_image']:.3f}" if "cpu_s_per_image" in row else ""
        paces = f"{row['images_s']:.3f} | {row['p50_s']:.2f} | {row['p95_s']:.2f}"
        print(f"| {name} | {paces} | {burnt} |")
    rates = {name: row["images_s"] for name, row in middle.items()}
    drawn = report.bars(
        f"The same pipeline, one thread, {CLIENTS} clients", "images a second", rates
    )
    raw = {"bars": drawn, "rounds": found, "seconds": SECONDS, "mark_ms": mark_ms}
    report.keep("peers", raw)
    rivals = [row for name, row in middle.items() if name not in ("sitter", "bare")]
    ours = middle["sitter"]
    ratio = ours["images_s"] / max(row["images_s"] for row in rivals)
    loop = ours["images_s"] / middle["bare"]["images_s"]
    tail = ours["p95_s"] / min(row["p95_s"] for row in rivals)
    report.figure(
        "R2",
        value=f"{ratio:.2f} of the best peer, {loop:.2f} of a bare loop",
        unit="",
        n=ROUNDS,
        holds=ratio >= 1.0 and loop >= 0.95 and tail <= 1.0,
        how=(
            f"{CLIENTS} clients in a closed loop, {ROUNDS} rounds of {SECONDS:.0f} s in turn, one"
            f" painting thread each; p95 {tail:.2f} of the best peer's; marking {mark_ms:.2f} ms"
        ),
    )
