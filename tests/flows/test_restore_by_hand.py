"""A restore with nothing but PostgreSQL, the buckets and the logins: what an operator does by hand.

Each role is a process of its own that does what it is told, so its grants are the real ones.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest

from deploy.drill.cast import Player
from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from tests.flows.test_restore_drill import Backup

PEOPLE = 20
# It does one script after another, because each start of Django costs seconds; what a script calls
# `answer` is its answer.
BEGIN = """
import json, sys, uuid, django
django.setup()
from datetime import timedelta
from django.utils import timezone
for line in sys.stdin:
    script, told = json.loads(line)
    names = {**globals(), "now": timezone.now(), "told": told, "answer": None}
    exec(script, names)
    print(json.dumps({"answer": names["answer"]}), flush=True)
"""
KEEPER = "from privacy import keys; keys.make_root_key(now); keys.publish_evidence_key(now.date())"
INTAKE = "from privacy import keys; keys.publish_fleet_keys(now.date())"
UPKEEP = """
from workers import roles, tasks
roles.start()
tasks.keep_ledger()
"""
SETTLE = """
from privacy import restore
assert restore.pulse(now)
answer = restore.resolve(now + timedelta(seconds=40))
"""
# Half of them will leave. Each has an account, a key and a portrait.
BEFORE = """
from accounts.models import User
from privacy import keys, vault
from privacy.plain import Plain
from privacy.retention import Kind
made = []
for _ in range(told):
    user = User.objects.create(email=f"{uuid.uuid4().hex}@example.org", password="!", is_adult=True)
    keys.ensure_owner(user.pk, now)
    draft = vault.draft(Kind.PORTRAIT, user.pk, Plain(user.pk.bytes), now)
    assert vault.commit([draft])
    made.append([str(user.pk), str(draft.blob_id)])
answer = made
"""
LEAVE = """
from privacy import erasure
answer = [str(erasure.request(uuid.UUID(who), now).pk) for who, _ in told]
"""
SHORTEN = """
from privacy import vault
from privacy.models import Blob
vault.move_deadline(Blob.objects.filter(pk=told), now + timedelta(days=1), now)
"""
READY = """
from django.test import Client
said = Client(HTTP_HOST="localhost").get("/readyz").json()
refused = Client(HTTP_HOST="localhost").get("/v1/privacy/facts").status_code
answer = [said["missing"], refused]
"""
OPENS = """
from privacy import vault
from privacy.audit import Reason
from privacy.errors import PrivacyError
answer = 0
for who, blob in told:
    try:
        plain = vault.read(uuid.UUID(blob), now, why=Reason.PROOF)
    except PrivacyError:
        continue
    assert plain.reveal() == uuid.UUID(who).bytes
    answer += 1
"""
ANSWERS = """
from django.test import Client
found = [Client(HTTP_HOST="localhost").get(f"/v1/erasures/{one}").json() for one in told]
answer = [one["stage"] for one in found]
"""
ENDS = """
from privacy.models import Blob
answer = (Blob.objects.get(pk=told).expires_at - now).total_seconds()
"""


class Done(Protocol):
    """Runs a script in the process of a role; returns its answer."""

    def __call__(self, role: Role, script: str, told: Any = None) -> Any: ...


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services and tables of their own, and no role."""
    own = Stack(
        tmp_path_factory.mktemp("byhand") / "data", roles=(), preferred_ports=False, restart=False
    )
    with own:
        own.migrate()
        yield own


@contextmanager
def processes(stack: Stack) -> Iterator[Done]:
    """`done(role, script, told)`: what a process of this role says; all of them end with it."""
    with ExitStack() as over:

        @cache
        def player(role: Role) -> Player:
            started = Player(stack.env(role), BEGIN)
            over.callback(started.rest)
            return started

        def done(role: Role, script: str, told: Any = None) -> Any:
            return player(role).play(script, told)

        yield done


@pytest.mark.slow
def test_a_restored_dump_is_emptied_again_before_anybody_is_served(
    bare: Stack, tmp_path: Path
) -> None:
    backup = Backup(bare, tmp_path / "backup")
    half = PEOPLE // 4
    with processes(bare) as done:
        done(Role.KEEPER, KEEPER)
        done(Role.INTAKE, INTAKE)
        made = done(Role.WEB, BEFORE, PEOPLE)
        leavers, stayers = made[: PEOPLE // 2], made[PEOPLE // 2 :]
        done(Role.UPKEEP, UPKEEP)
        backup.take()
        receipts = done(Role.WEB, LEAVE, leavers[:half])
        assert done(Role.UPKEEP, SETTLE)["confirmed"] == half
        receipts += done(Role.WEB, LEAVE, leavers[half:])
        done(Role.WEB, SHORTEN, stayers[0][1])
        assert done(Role.WEB, OPENS, leavers) == 0

    backup.restore()
    with processes(bare) as done:
        assert done(Role.WEB, OPENS, leavers) == len(leavers), "the backup did bring them back"
        missing, refused = done(Role.WEB, READY)
        assert missing == ["erasure ledger replay (upkeep does it)"]
        assert refused == 503
        said = by_hand(bare)
        assert f"{len(leavers)} erasures begun again" in said
        assert "1 deadlines moved again" in said
        assert "Nothing to replay" in by_hand(bare)
        assert done(Role.WEB, READY) == [[], 200]

        erased = len(leavers) - done(Role.WEB, OPENS, leavers)
        living = done(Role.WEB, OPENS, stayers)
        assert done(Role.WEB, ANSWERS, receipts) == ["proved"] * len(leavers)
        assert done(Role.WEB, ENDS, stayers[0][1]) <= 24 * 3600
        assert (erased, living) == (len(leavers), len(stayers))


def by_hand(stack: Stack) -> str:
    """`manage.py replay_ledger`, with upkeep's settings."""
    ended = subprocess.run(
        [sys.executable, "manage.py", "replay_ledger"],
        cwd=ROOT,
        env=stack.env(Role.UPKEEP),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
