"""How each contender is started, and what it is asked: one thread paints, eight clients wait."""

import json
import os
import site
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from deploy.env import ROOT

HERE = Path(__file__).parent
FOLDER = ROOT / "var" / "bench" / "peers"
TINY = FOLDER / "tiny"
READY_PATIENCE = 120.0


@dataclass(frozen=True)
class Peer:
    """A serving framework, its exact version, and its command line after the interpreter."""

    name: str
    requirement: str
    arguments: tuple[str, ...]

    def command(self, port: int) -> list[str]:
        """Start it on a port."""
        given = [text.format(here=HERE, folder=TINY, port=port) for text in self.arguments]
        return [str(self.python), *given]

    @property
    def python(self) -> Path:
        """Of its own environment."""
        return FOLDER / self.name / "bin" / "python"

    def install(self) -> None:
        """An environment of its own; torch, diffusers and Pillow come from ours, behind its own."""
        mark = FOLDER / self.name / self.requirement.replace("[", "-").replace("]", "")
        if mark.exists():
            return
        subprocess.run([sys.executable, "-m", "venv", FOLDER / self.name], check=True)
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, self.requirement], check=True)
        # Behind its own packages, so that its own versions win.
        own = next((FOLDER / self.name / "lib").glob("python3*/site-packages"))
        (own / "zz_torch.pth").write_text(site.getsitepackages()[0] + "\n")
        mark.touch()


PEERS = (
    Peer("litserve", "litserve==0.2.19", ("{here}/serve_litserve.py", "{folder}", "{port}")),
    Peer(
        "bentoml",
        "bentoml==1.4.39",
        ("-m", "bentoml", "serve", "serve_bentoml:Painter", "--port", "{port}"),
    ),
    Peer("ray", "ray[serve]==2.60.0", ("{here}/serve_ray.py", "{folder}", "{port}")),
)


def environment() -> dict[str, str]:
    """One thread of arithmetic for everybody, and no word to any maker."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "OMP_NUM_THREADS": "1",
        "TINY_FOLDER": str(TINY),
        "BENTOML_DO_NOT_TRACK": "1",
        "BENTOML_HOME": str(FOLDER / "bentoml-home"),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": "/tmp",  # noqa: S108 - a socket's path must be short
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def serving(peer: Peer, port: int) -> Iterator[psutil.Process]:
    """The peer, ready; afterwards all of its processes are gone."""
    log = (FOLDER / f"{peer.name}.log").open("wb")
    process = psutil.Popen(peer.command(port), cwd=HERE, env=environment(), stdout=log, stderr=log)
    try:
        _wait_until_it_paints(process, port)
        yield process
    finally:
        family = [*process.children(recursive=True), process]
        for member in family:
            _quietly_end(member)
        psutil.wait_procs(family, timeout=20)
        log.close()


def _wait_until_it_paints(process: psutil.Process, port: int) -> None:
    deadline = time.monotonic() + READY_PATIENCE
    while time.monotonic() < deadline:
        if not process.is_running():
            break
        try:
            if ask(port, 0).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise TimeoutError("The peer did not paint; its log says why.")


def _quietly_end(member: psutil.Process) -> None:
    try:
        member.kill()
    except psutil.NoSuchProcess:
        return


def ask(port: int, seed: int) -> httpx.Response:
    """One picture, from its request to its last byte."""
    body = json.dumps({"seed": seed})
    headers = {"Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/predict"
    return httpx.post(url, content=body, headers=headers, timeout=120)


def cpu_seconds(pids: list[int]) -> float:
    """Of these processes and their descendants, living ones only."""
    total = 0.0
    for pid in pids:
        try:
            process = psutil.Process(pid)
            for member in (process, *process.children(recursive=True)):
                times = member.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total
