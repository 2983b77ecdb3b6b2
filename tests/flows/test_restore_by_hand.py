"""A restore with nothing but PostgreSQL, the buckets and the logins: what an operator does by hand.

Each role is a process of its own that does one thing and ends, so its grants are the real ones.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from tests.flows.test_restore_drill import Backup

PEOPLE = 20
START = """
import json, sys, uuid, django
django.setup()
from datetime import timedelta
from django.utils import timezone
now = timezone.now()
told = json.loads(sys.argv[1])
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
print(json.dumps(restore.resolve(now + timedelta(seconds=40))))
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
print(json.dumps(made))
"""
LEAVE = """
from privacy import erasure
print(json.dumps([str(erasure.request(uuid.UUID(who), now).pk) for who, _ in told]))
"""
SHORTEN = """
from privacy import vault
from privacy.models import Blob
vault.move_deadline(Blob.objects.filter(pk=told), now + timedelta(days=1), now)
print("0")
"""
READY = """
from django.test import Client
answer = Client(HTTP_HOST="localhost").get("/readyz")
refused = Client(HTTP_HOST="localhost").get("/v1/privacy/facts").status_code
print(json.dumps([answer.json()["missing"], refused]))
"""
OPENS = """
from privacy import vault
from privacy.audit import Reason
from privacy.errors import PrivacyError
opened = 0
for who, blob in told:
    try:
        plain = vault.read(uuid.UUID(blob), now, why=Reason.PROOF)
    except PrivacyError:
        continue
    assert plain.reveal() == uuid.UUID(who).bytes
    opened += 1
print(json.dumps(opened))
"""
ANSWERS = """
from django.test import Client
found = [Client(HTTP_HOST="localhost").get(f"/v1/erasures/{one}").json() for one in told]
print(json.dumps([one["stage"] for one in found]))
"""
ENDS = """
from privacy.models import Blob
print(json.dumps((Blob.objects.get(pk=told).expires_at - now).total_seconds()))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services and tables of their own, and no role."""
    own = Stack(
        tmp_path_factory.mktemp("byhand") / "data", roles=(), preferred_ports=False, restart=False
    )
    with own:
        own.migrate()
        yield own


def done(stack: Stack, role: Role, script: str, told: Any = None) -> Any:
    """What a process of this role says."""
    ended = subprocess.run(
        [sys.executable, "-c", START + script, json.dumps(told)],
        cwd=ROOT,
        env=stack.env(role),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1]) if ended.stdout.strip() else None


@pytest.mark.slow
def test_a_restored_dump_is_emptied_again_before_anybody_is_served(
    bare: Stack, tmp_path: Path
) -> None:
    done(bare, Role.KEEPER, KEEPER)
    done(bare, Role.INTAKE, INTAKE)
    made = done(bare, Role.WEB, BEFORE, PEOPLE)
    leavers, stayers = made[: PEOPLE // 2], made[PEOPLE // 2 :]
    done(bare, Role.UPKEEP, UPKEEP)
    backup = Backup(bare, tmp_path / "backup")
    backup.take()
    half = PEOPLE // 4
    receipts = done(bare, Role.WEB, LEAVE, leavers[:half])
    assert done(bare, Role.UPKEEP, SETTLE)["confirmed"] == half
    receipts += done(bare, Role.WEB, LEAVE, leavers[half:])
    done(bare, Role.WEB, SHORTEN, stayers[0][1])
    assert done(bare, Role.WEB, OPENS, leavers) == 0

    backup.restore()
    assert done(bare, Role.WEB, OPENS, leavers) == len(leavers), "the backup did bring them back"
    missing, refused = done(bare, Role.WEB, READY)
    assert missing == ["erasure ledger replay (upkeep does it)"]
    assert refused == 503
    said = by_hand(bare)
    assert f"{len(leavers)} erasures begun again" in said
    assert "1 deadlines moved again" in said
    assert "Nothing to replay" in by_hand(bare)
    assert done(bare, Role.WEB, READY) == [[], 200]

    erased = len(leavers) - done(bare, Role.WEB, OPENS, leavers)
    living = done(bare, Role.WEB, OPENS, stayers)
    assert done(bare, Role.WEB, ANSWERS, receipts) == ["proved"] * len(leavers)
    assert done(bare, Role.WEB, ENDS, stayers[0][1]) <= 24 * 3600
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
