"""The API against stock REST framework on the same tables, and how soon a change is told (R8).

Both answer one client at a time over connections that stay open, in turns, a block each; what
counts is CPU time of the server's processes from /proc, which a busy machine hardly changes. Ours
runs as the stack runs it, audit, logs and overwritten memory included; beside it, ours with
Python's own allocator says what the overwriting costs.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from tests.bench import report
from tests.bench.erasure import _born
from tests.bench.servers import OURS, PLAIN, STOCK, UNBOUNDED, WEB, Server, ask, block, served

ROUNDS = 5
POLLS, SUBMITS, DOWNLOADS, CHANGES = 300, 40, 15, 60
PICTURE = 1_500_000


def run() -> None:
    """Start the services, then measure in a process with every key and the tables' own login."""
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder:
        stack = Stack(Path(folder), roles=(), preferred_ports=False)
        try:
            stack.start()
            stack.migrate()
            web = stack.env(Role.WEB)
            env = {**web, **stack.env(Role.MIGRATOR), WEB: json.dumps(web)}
            # Whoever signs sessions here is the web.
            env |= {"SITTER_SECRET_KEY": web["SITTER_SECRET_KEY"], **UNBOUNDED}
            del env["SITTER_ROOT_KEYS"]  # the migrator refuses to start with it
            argv = [sys.executable, "-m", "tests.bench.api", folder]
            subprocess.run(argv, env=env, cwd=ROOT, check=True)
        finally:
            stack.stop()


@dataclass
class Person:
    """Who asks, with what they own."""

    id: uuid.UUID
    token: str
    job: str
    portrait: str

    def headers(self, server: Server) -> dict[str, str]:
        """Their token as this server wants it."""
        if server.name == STOCK:
            return {"Authorization": f"Token {self.token}"}
        return {"X-Session-Token": self.token}


Numbers = dict[str, dict[str, list[float]]]


def polls(servers: list[Server], person: Person, numbers: Numbers) -> None:
    """The whole job, and the answer to who has it already; stock gives the whole each time."""
    for server in servers:
        line, headers = server.line(), person.headers(server)
        path = f"/v1/jobs/{person.job}"
        status, text, told = ask(line, "GET", path, headers)
        assert status == 200, (server.name, text[-500:], server.log.read_text()[-2000:])
        whole = partial(ask, line, "GET", path, headers)
        numbers["poll 200"][server.name].append(block(server, POLLS, whole))
        known = headers | {"If-None-Match": told.get("ETag", '"none"')}
        expected = 200 if server.name == STOCK else 304
        assert ask(line, "GET", path, known)[0] == expected
        same = partial(ask, line, "GET", path, known)
        numbers["poll 304"][server.name].append(block(server, POLLS, same))
        line.close()


def submits(
    servers: list[Server], person: Person, style: str, sets: Iterator[str], numbers: Numbers
) -> None:
    """A job of one portrait from a fresh set of photos."""
    for server in servers:
        line = server.line()
        one = partial(_submit, line, person.headers(server), style, sets)
        one()
        numbers["submit"][server.name].append(block(server, SUBMITS, one))
        line.close()


def _submit(
    line: http.client.HTTPConnection, headers: dict[str, str], style: str, sets: Iterator[str]
) -> None:
    body = {"reference_set": next(sets), "items": [{"style": style}]}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    status, text, _ = ask(line, "POST", "/v1/jobs", headers | key, body)
    assert status in (201, 202), text


def downloads(servers: list[Server], person: Person, plain: str, numbers: Numbers) -> None:
    """Milliseconds to the first byte and to the last."""
    for server in servers:
        path = f"/v1/images/{plain}"
        if server.name != STOCK:
            path = f"/v1/portraits/{person.portrait}/image"
        line, firsts, wholes = server.line(), [], []
        for _ in range(DOWNLOADS + 1):
            began = perf_counter()
            line.request("GET", path, headers=person.headers(server))
            answer = line.getresponse()
            read = len(answer.read(1))
            firsts.append(perf_counter() - began)
            read += len(answer.read())
            wholes.append(perf_counter() - began)
            assert (answer.status, read) == (200, PICTURE)
        numbers["first byte"][server.name].append(statistics.median(firsts[1:]) * 1e3)
        numbers["download"][server.name].append(statistics.median(wholes[1:]) * 1e3)
        line.close()


def _longer(heard: dict[int, float], known: int) -> bool:
    return len(heard) > known


def first_events(server: Server, person: Person, work: Any) -> list[float]:
    """Milliseconds from a change to its event, with quiet between them."""
    from portraits import painting
    from portraits.models import Item

    line = server.line()
    line.request("GET", f"/v1/jobs/{person.job}/events", headers=person.headers(server))
    stream = line.getresponse()
    heard: dict[int, float] = {}
    more = threading.Condition()

    def listen() -> None:
        # The line is closed under it when all has been heard.
        with suppress(AttributeError, OSError, ValueError):
            while part := stream.readline():
                if part.startswith(b"data: "):
                    now, number = perf_counter(), json.loads(part[6:])["sequence"]
                    with more:
                        heard[number] = now
                        more.notify()

    threading.Thread(target=listen, daemon=True).start()
    late = []
    for number in range(CHANGES):
        time.sleep(0.3)
        known = len(heard)
        began = perf_counter()
        assert painting.progress(work.held, Item.Phase.PAINTING, number % 90)
        with more:
            assert more.wait_for(partial(_longer, heard, known), 10)
            late.append((max(heard.values()) - began) * 1e3)
    line.close()
    return late[1:]


def _people(folder: Path) -> tuple[Person, Any, str, Iterator[str]]:
    """(somebody with a job in work, what is being painted, a style, sets without end)."""
    from portraits import painting
    from portraits.models import Item, Portrait
    from privacy import vault
    from privacy.plain import Plain
    from privacy.retention import Kind
    from tests.portraits import making
    from tests.portraits.serving import session

    style = making.style()
    who = making.consenting()
    job = making.submitted(who, style, 4)
    for _ in range(2):
        done = making.claimed(style)
        data = Plain(os.urandom(PICTURE))
        draft = vault.draft(Kind.PORTRAIT, who, data, making.now())
        full = painting.Size("full", draft, 1024, 1024, "image/jpeg")
        assert painting.finish(done.held, [full], making.now())
    work = making.claimed(style)
    assert painting.progress(work.held, Item.Phase.PAINTING, 40)
    portrait = Portrait.objects.filter(item__job=job).latest("created_at")

    def sets() -> Iterator[str]:
        while True:
            yield str(making.set_with_photo(who).pk)

    person = Person(who, session(who), str(job.pk), str(portrait.pk))
    return person, work, style.slug, sets()


def measure(folder: Path) -> None:
    """Everything, in turns."""
    import django

    django.setup()
    from django.core.files.base import ContentFile
    from django.core.files.storage import storages

    _born(folder)
    person, work, style, sets = _people(folder)
    plain = f"plain-{uuid.uuid4().hex}"
    storages["sealed"].save(plain, ContentFile(os.urandom(PICTURE)))
    numbers: Numbers = defaultdict(lambda: defaultdict(list))
    with ExitStack() as until_then:
        servers = [until_then.enter_context(served(name, folder)) for name in (OURS, STOCK, PLAIN)]
        for number in range(ROUNDS + 1):
            # The first round warms up.
            kept = numbers if number else defaultdict(lambda: defaultdict(list))
            polls(servers, person, kept)
            submits(servers, person, style, _ready(sets, len(servers) * (SUBMITS + 1)), kept)
            downloads(servers, person, plain, kept)
        late = first_events(servers[0], person, work)
    _report(numbers, late)


def _ready(sets: Iterator[str], count: int) -> Iterator[str]:
    """So many sets, made before anything is measured."""
    return iter([next(sets) for _ in range(count)])


def _report(numbers: Numbers, late: list[float]) -> None:
    unit = {"first byte": "ms", "download": "ms"}
    print("| what | unit | ours | stock DRF | ours, plain malloc | ratio |")
    print("|---|---|---|---|---|---|")
    middle = {
        what: {name: statistics.median(values) for name, values in rows.items()}
        for what, rows in numbers.items()
    }
    ratio = {what: row[STOCK] / row[OURS] for what, row in middle.items()}
    for what, row in middle.items():
        cells = " | ".join(f"{row[name]:,.1f}" for name in (OURS, STOCK, PLAIN))
        print(f"| {what} | {unit.get(what, 'us CPU')} | {cells} | {ratio[what]:.2f} |")
    report.keep("api", {"numbers": numbers, "event_milliseconds": late})
    how = (
        f"CPU of gunicorn's processes a request, stock over ours, medians of {ROUNDS} interleaved "
        "rounds, one client, job of 4 portraits; ours with audit, logs and overwritten memory"
    )
    report.figure(
        "R8",
        value=f"{ratio['poll 200']:.2f} / {ratio['poll 304']:.2f}",
        unit="x",
        n=ROUNDS * POLLS,
        holds=min(ratio["poll 200"], ratio["poll 304"]) >= 2,
        how=f"whole / 304; {how}",
    )
    report.figure(
        "R8-submit",
        value=f"{ratio['submit']:.2f}",
        unit="x",
        n=ROUNDS * SUBMITS,
        holds=ratio["submit"] >= 1.2,
        how=how,
    )
    first, whole = 1 / ratio["first byte"], ratio["download"]
    report.figure(
        "R8-download",
        value=f"{first:.2f} / {whole:.2f}",
        unit="x",
        n=ROUNDS * DOWNLOADS,
        holds=first <= 1.3 and whole >= 0.7,
        how=f"first byte ours over stock / throughput ours over stock, {PICTURE / 1e6} MB sealed "
        "against a FileResponse of the same size from the same bucket",
    )
    p50, p95 = statistics.median(late), report.p95(late)
    report.figure(
        "R8-event",
        value=f"{p50:.0f} / {p95:.0f}",
        unit="ms",
        n=len(late),
        holds=p95 <= 100,
        how="p50 / p95 from before the worker's commit to the event read by the client",
    )


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
