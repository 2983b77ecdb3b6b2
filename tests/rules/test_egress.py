"""Workers reach PostgreSQL, Valkey and S3, and send not one packet to anywhere else.

Both kinds of worker that open pictures run in a network with three doors (fence.py), from the start
of their processes, through the loading of the models, to a portrait that is painted.
"""

import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from deploy.env import ROOT, Role
from deploy.stack import roles
from deploy.stack.supervisor import Stack
from tests.chaos.person import Person, say, views, wait
from tests.figures import figure
from tests.resting import resting
from tests.rules.fence import forward

FENCED = (Role.INTAKE, Role.GPU)
INDEX = 9
SERVICES = ("SITTER_DATABASE_URL", "SITTER_BROKER_URL", "SITTER_S3_ENDPOINT_URL")
FORBIDDEN = 77
QUIET = 10.0
TRESPASSER = """
import socket
for kind, place in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::99")):
    try:
        socket.create_connection((place, 443), timeout=0.5)
    except OSError:
        pass
try:
    socket.getaddrinfo("portrait.example", 443)
except OSError:
    pass
"""


@dataclass
class Fence:
    """Programs in a network of their own; what they sent is known once it is closed."""

    doors: dict[int, str] = field(default_factory=dict)
    commands: list[dict[str, Any]] = field(default_factory=list)
    saw: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.rules.fence"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(
                json.dumps({"doors": self.doors, "commands": self.commands}) + "\n"
            )
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        if self._process.stdout.readline() != "started\n":
            status = self._process.wait(10)
            self._process.communicate()
            assert status == FORBIDDEN, f"The fence ended with status {status}."
            pytest.skip("This user may not have a network namespace; run as root.")
        return self

    def __exit__(self, *_: object) -> None:
        said, _said = self._process.communicate(timeout=120)
        self.saw = json.loads(said)


def program(source: str, folder: Path) -> dict[str, Any]:
    """A small Python program as a command of the fence; it gives up on a name after a second."""
    return {
        "argv": [sys.executable, "-c", source],
        "env": {"RES_OPTIONS": "timeout:1 attempts:1"},
        "cwd": str(folder),
        "log": str(folder / "program.log"),
    }


def test_a_connection_and_a_look_up_of_a_name_would_be_counted(tmp_path: Path) -> None:
    with Fence(commands=[program(TRESPASSER, tmp_path)]) as fence:
        time.sleep(4)
    stray = fence.saw["stray"]
    assert "6 192.0.2.1 443" in stray, stray
    assert any(place.endswith(" 53 portrait.example") for place in stray), stray
    assert not fence.saw["wide"] or any("2001:db8::" in place for place in stray), stray
    assert fence.saw["through"] == 0


def test_a_program_that_sends_nothing_is_not_counted(tmp_path: Path) -> None:
    with Fence(commands=[program("print('quiet')", tmp_path)]) as fence:
        time.sleep(1)
    assert fence.saw["statuses"] == [0]
    assert fence.saw["stray"] == {}


@pytest.fixture
def fenced(live: Stack) -> Iterator[Fence]:
    """The live stack whose intake and painter work behind the fence."""
    with tempfile.TemporaryDirectory() as folder, resting(live, *FENCED):
        yield Fence(doors(live, Path(folder)), [command(live, role) for role in FENCED])


def doors(live: Stack, folder: Path) -> dict[int, str]:
    """A Unix socket for each service, carried to where the service is."""
    made = {}
    for name in SERVICES:
        place = urlsplit(live.env(Role.GPU)[name])
        if place.hostname != "127.0.0.1" or place.port is None:
            pytest.skip("The fence has doors to services of the embedded stack only.")
        path = str(folder / f"{place.port}.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(64)
        forward(listener, (socket.AF_INET, (place.hostname, place.port)))
        made[place.port] = path
    return made


def launch(live: Stack, role: Role) -> roles.Launch:
    return roles.Launch(role, INDEX, live.folders, live.ports)


def command(live: Stack, role: Role) -> dict[str, Any]:
    """Exactly what the stack itself would start."""
    made = launch(live, role).command(live.env(role))
    argv = [str(part) for part in made.argv]
    return {"argv": argv, "env": dict(made.env), "cwd": str(made.cwd), "log": str(made.log)}


def test_the_workers_send_no_packet_to_anywhere_else(live: Stack, fenced: Fence) -> None:
    began = time.monotonic()
    with fenced as fence:
        for role in FENCED:
            ready = launch(live, role).ready_file
            wait(f"{role} takes work behind the fence", ready.exists, seconds=90)
        person = Person(live.urls.web)
        try:
            paint(person)
        finally:
            person.close()
        # What a library has to report, it reports in its own time.
        time.sleep(QUIET)
    stray, seconds = fence.saw["stray"], time.monotonic() - began
    say(f"{fence.saw['through']} packets through the doors in {seconds:.0f} s; elsewhere {stray}")
    figure(
        "N-01",
        value=sum(stray.values()),
        unit="packets",
        n=fence.saw["through"],
        holds=not stray and not fence.saw["missed"],
        conditions="intake and gpu in a network namespace with a route to everywhere, from the"
        " start of the processes through model load to one portrait and their end; n is packets to"
        f" PostgreSQL, Valkey and S3 in {seconds:.0f} s; DNS included; KMS not in use",
    )
    assert fence.saw["missed"] == 0
    # The control: they did work, and they ended as they should.
    assert fence.saw["through"] > 200
    assert fence.saw["statuses"] == [0, 0]
    assert stray == {}


def test_the_detectors_library_is_told_to_report_nothing_before_it_is_loaded() -> None:
    asked = "import os, workers.networks; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )
    assert said.stdout == "1\n"
    source = (ROOT / "workers" / "networks.py").read_text()
    assert source.index("ORT_DISABLE_TELEMETRY") < source.index("import onnxruntime")


def paint(person: Person) -> None:
    """One photo checked and one portrait painted."""
    photos = person.new_set(keep=False)
    assert person.put(photos, "front", views()["front"]).status_code in (200, 202)
    person.accepted(photos, seconds=60)
    body = {"reference_set": photos, "items": [{"style": "pencil"}]}
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    job = Person.ok(person.http.post("/v1/jobs", json=body, headers=headers))["id"]
    assert person.ended(job, seconds=90)["state"] == "done"
    assert len(person.portraits()) == 1
