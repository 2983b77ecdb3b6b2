"""An installation that is healthy, and the doctor's eyes as each role."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import redis

from deploy import grants
from deploy.doctor import rounds
from deploy.doctor.findings import STATUS, Finding
from deploy.env import ROOT
from deploy.stack import valkey as stack_valkey
from privacy import bucket, keys, periods
from tests.portraits.making import now
from tests.privacy.alone import acting_as
from tests.privacy.buckets import fresh_bucket

Admin = psycopg.Connection[tuple[Any, ...]]


def settle(born: Any) -> None:
    """Every key is born, the bucket's rules are set, and beat was heard."""
    fresh_bucket(bucket._client()[1])
    bucket.apply()
    born("keeper")
    keys.make_root_key(now())
    keys.publish_evidence_key(now().date())
    born("intake")
    keys.publish_fleet_keys(now().date())
    born("upkeep")
    keys.publish_receipt_key(now().date())
    with periods.turn("upkeep.requeue", int(now().timestamp() // 5), 5) as ours:
        assert ours


def examined(role: str, at: Any = None) -> list[Finding]:
    """What the doctor says with a role's login, in the dress that this process wears."""
    with acting_as(role) if role in grants.TABLES else nullcontext():
        return rounds.examine(at or now())


def wrong(found: list[Finding]) -> dict[str, str]:
    """Name and sentence of whatever is not a note."""
    return {each.name: each.wrong for each in found if STATUS[each.severity]}


def doctor(env: dict[str, str]) -> "subprocess.Popen[str]":
    """`manage.py doctor --json` with a role's own environment, just begun."""
    command = [sys.executable, "manage.py", "doctor", "--json"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True)


@contextmanager
def broker(folder: Path, *settings: str) -> Iterator[str]:
    """A second Valkey, set up as told; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    process = subprocess.Popen(
        [str(stack_valkey.program()), *own, *settings], stdout=subprocess.DEVNULL
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                stack_valkey.ask(url)
            except redis.AuthenticationError:
                break
            except redis.RedisError:
                time.sleep(0.05)
            else:
                break
        yield url
    finally:
        process.terminate()
        process.wait(10)
