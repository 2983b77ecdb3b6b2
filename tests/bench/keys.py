"""C-06 in earnest: a hundred thousand owner keys rewrapped, in whole and under SIGKILL.

It runs on a stack of its own, with the keeper's command in a process of its own.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from uuid_utils import uuid7

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from tests.bench import report

OWNERS = 100_000
RUNNING = 1.0
GOAL = 2000
PLACE = b"sitter/owner/v1"


def run() -> None:
    """Fill, rewrap in one go, then again under kills, a second of work apart; read everything."""
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder:
        stack = Stack(Path(folder), roles=(), preferred_ports=False)
        try:
            stack.start()
            stack.migrate()
            _measure(stack)
        finally:
            stack.stop()


def _measure(stack: Stack) -> None:
    first = _turned(stack)
    seeds = _fill(stack, first, _root(stack, first))
    began = time.monotonic()
    second = _turned(stack)
    whole = OWNERS / (time.monotonic() - began)
    wrong = _unreadable(stack, seeds)
    kills = _turn_under_kills(stack)
    wrong += _unreadable(stack, seeds)
    left = len(seeds) - _under_newest(stack)
    print(f"{whole:,.0f} keys/s, start of the process included; {kills} kills in the second turn")
    report.keep("keys", {"keys_per_second": whole, "kills": kills, "wrong": wrong, "left": left})
    report.figure(
        "C-06",
        value=f"{whole:,.0f}",
        unit="keys/s",
        n=OWNERS,
        holds=whole >= GOAL and not wrong and not left and second != first,
        how=f"manage.py rotate_root as the keeper, its start included, local root file; then once"
        f" more under {kills} SIGKILLs: {wrong} unreadable, {left} left behind",
    )


def _command(stack: Stack, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "rotate_root", *arguments],
        cwd=ROOT,
        env=stack.env(Role.KEEPER),
        stdout=subprocess.DEVNULL,
    )


def _turned(stack: Stack) -> str:
    """A new root and everybody under it; its label."""
    assert _command(stack, "--now").wait(300) == 0
    return _newest(stack)


def _turn_under_kills(stack: Stack) -> int:
    """The next turn; each keeper is killed once it has moved keys for a second."""
    before, kills, arguments = _newest(stack), 0, ["--now"]
    while True:
        process = _command(stack, *arguments)
        _wait_until_it_moves(stack, process)
        try:
            assert process.wait(RUNNING) == 0
            return kills
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        if _newest(stack) != before:
            arguments = []


def _wait_until_it_moves(stack: Stack, process: subprocess.Popen[bytes]) -> None:
    before = _under_newest(stack)
    while process.poll() is None and _under_newest(stack) == before:
        time.sleep(0.05)


def _connect(stack: Stack) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"], autocommit=True)


def _newest(stack: Stack) -> str:
    with _connect(stack) as connection:
        rows = connection.execute("SELECT max(label) FROM privacy_rootepoch").fetchall()
    return str(rows[0][0])


def _under_newest(stack: Stack) -> int:
    with _connect(stack) as connection:
        rows = connection.execute(
            "SELECT count(*) FROM privacy_ownerkey"
            " WHERE root_epoch = (SELECT max(label) FROM privacy_rootepoch)"
        ).fetchall()
    return int(rows[0][0])


def _root(stack: Stack, label: str) -> bytes:
    return (stack.folders.keys("root") / f"{label}.key").read_bytes()


def _fill(stack: Stack, label: str, root: bytes) -> dict[bytes, bytes]:
    """Owners as wide as real ones, with ids that grow as theirs do, wrapped as FORMAT.md says."""
    public, seeds = os.urandom(1216), {}
    with _connect(stack) as connection, connection.cursor() as cursor:
        copy = (
            "COPY privacy_ownerkey (owner_id, public, wrapped, root_epoch, prefix, created_at,"
            " fence) FROM STDIN"
        )
        with cursor.copy(copy) as rows:
            for _ in range(OWNERS):
                owner, seed, nonce = uuid7().bytes, os.urandom(32), os.urandom(12)
                seeds[owner] = seed
                wrapped = nonce + AESGCM(root).encrypt(nonce, seed, PLACE + owner)
                rows.write_row((owner.hex(), public, wrapped, label, owner.hex(), "now", 0))
    return seeds


def _unreadable(stack: Stack, seeds: dict[bytes, bytes]) -> int:
    """How many do not come out as they went in, under the root that their row names."""
    wrong = 0
    roots: dict[str, AESGCM] = {}
    query = "SELECT replace(owner_id::text, '-', ''), wrapped, root_epoch FROM privacy_ownerkey"
    with _connect(stack) as connection:
        for name, wrapped, label in connection.execute(query):
            owner, blob, epoch = bytes.fromhex(str(name)), bytes(wrapped), str(label)
            if epoch not in roots:
                roots[epoch] = AESGCM(_root(stack, epoch))
            opened = roots[epoch].decrypt(blob[:12], blob[12:], PLACE + owner)
            wrong += opened != seeds[owner]
    return wrong
