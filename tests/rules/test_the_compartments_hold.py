"""What each role cannot do, tried for real with the role's own login, keys and environment."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from deploy.env import ROOT, Role
from deploy.grants import TABLES
from deploy.stack.supervisor import Stack
from tests.chaos.person import wait
from tests.rules.conftest import May, Sealed, login

LOGINS = [Role(name) for name in TABLES]
# Those that have to do with pictures at all; the courier tells numbers to the outside.
OPENERS = set(LOGINS) - {Role.COURIER}
OPEN = """
import json, sys, django
django.setup()
from django.utils import timezone
from privacy import vault
from privacy.audit import Reason
said = {}
for name, blob in json.loads(sys.argv[1]).items():
    try:
        said[name] = f"opened {len(vault.read(blob, timezone.now(), why=Reason.OWNER))}"
    except Exception as error:
        said[name] = type(error).__name__
print(json.dumps(said))
"""


def tried(live: Stack, role: Role, ids: dict[str, str]) -> dict[str, str]:
    """How a process in the role's environment fares with each blob."""
    run = subprocess.run(
        [sys.executable, "-c", OPEN, json.dumps(ids)],
        cwd=ROOT,
        env=live.env(role),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    said: dict[str, str] = json.loads(run.stdout)
    return {name: word.split()[0] for name, word in said.items()}


def test_every_crossing_of_the_key_compartments_fails(live: Stack, sealed: Sealed) -> None:
    with ThreadPoolExecutor(2) as pool:
        asked = {role: pool.submit(tried, live, role, sealed.ids) for role in LOGINS}
        said = {role: future.result() for role, future in asked.items()}
    refused = "KeyNotHeld"
    workers = {"upload": "opened", "reference": "opened", "portrait": refused}
    assert said == {
        Role.WEB: {"upload": refused, "reference": refused, "portrait": "opened"},
        Role.INTAKE: workers,
        Role.GPU: workers,
        Role.UPKEEP: dict.fromkeys(sealed.ids, refused),
        # The keeper holds the roots, and may not look at a single blob.
        Role.KEEPER: dict.fromkeys(sealed.ids, "ProgrammingError"),
        # The courier does not even know that there are blobs.
        Role.COURIER: dict.fromkeys(sealed.ids, "ProgrammingError"),
    }


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("SELECT wrapped FROM privacy_ownerkey LIMIT 1", {Role.WEB, Role.KEEPER}),
        ("SELECT prefix FROM privacy_ownerkey LIMIT 1", OPENERS),
        (
            "UPDATE privacy_ownerkey SET wrapped = NULL WHERE false",
            {Role.WEB, Role.UPKEEP, Role.KEEPER},
        ),
        ("UPDATE privacy_ownerkey SET prefix = '' WHERE false", {Role.WEB}),
        ("UPDATE privacy_ownerkey SET root_epoch = '' WHERE false", {Role.WEB, Role.KEEPER}),
        ("DELETE FROM privacy_ownerkey WHERE false", {Role.UPKEEP}),
        ("SELECT check_sha256 FROM privacy_rootepoch", {Role.WEB, Role.UPKEEP, Role.KEEPER}),
        ("INSERT INTO privacy_rootepoch SELECT * FROM privacy_rootepoch LIMIT 0", {Role.KEEPER}),
        ("UPDATE privacy_rootepoch SET destroyed_at = NULL WHERE false", {Role.KEEPER}),
        ("SELECT body FROM privacy_consentevidence LIMIT 1", {Role.KEEPER}),
        ("SELECT count(*) FROM accounts_user", {Role.WEB, Role.UPKEEP}),
        ("SELECT count(*) FROM accounts_session", {Role.WEB, Role.UPKEEP}),
        ("SELECT count(*) FROM portraits_portrait", OPENERS - {Role.KEEPER, Role.INTAKE}),
        ("SELECT count(*) FROM portraits_photo", OPENERS - {Role.KEEPER}),
        ("SELECT count(*) FROM portraits_job", {Role.WEB, Role.GPU, Role.UPKEEP}),
        ("SELECT count(*) FROM privacy_blob", OPENERS),
        ("SELECT enc FROM privacy_capsule LIMIT 1", OPENERS - {Role.KEEPER}),
        ("SELECT count(*) FROM privacy_consent", {Role.WEB, Role.UPKEEP, Role.KEEPER}),
        ("UPDATE privacy_auditevent SET count = 2", set()),
        ("DELETE FROM privacy_auditevent", {Role.UPKEEP}),
        ("TRUNCATE privacy_auditevent", set()),
        ("UPDATE privacy_consent SET client = 'x'", set()),
        ("DELETE FROM privacy_consent", {Role.UPKEEP}),
        ("TRUNCATE privacy_consent", set()),
        ("UPDATE privacy_consentevidence SET body = ''", set()),
        ("DELETE FROM privacy_blob WHERE false", {Role.UPKEEP}),
        ("SELECT count(*) FROM mfa_authenticator", {Role.WEB, Role.UPKEEP}),
        ("DELETE FROM socialaccount_socialaccount WHERE false", {Role.WEB, Role.UPKEEP}),
        (
            "INSERT INTO socialaccount_socialaccount"
            " SELECT * FROM socialaccount_socialaccount LIMIT 0",
            {Role.WEB},
        ),
        ("SELECT count(*) FROM socialaccount_socialapp", set()),
        (
            "UPDATE accounts_providerkeys SET wanted_at = now() WHERE false",
            {Role.WEB, Role.COURIER},
        ),
        ("INSERT INTO privacy_signingrant SELECT * FROM privacy_signingrant LIMIT 0", {Role.WEB}),
        ("DELETE FROM privacy_signingrant WHERE false", {Role.UPKEEP, Role.COURIER}),
        ("SELECT count(*) FROM privacy_grantkey", {Role.WEB, Role.COURIER}),
        ("SELECT count(*) FROM portraits_event", {Role.WEB, Role.UPKEEP, Role.COURIER}),
        ("UPDATE portraits_event SET status = 0 WHERE false", {Role.UPKEEP, Role.COURIER}),
        ("DELETE FROM portraits_event WHERE false", {Role.UPKEEP}),
    ],
)
def test_a_login_does_only_what_its_role_needs(
    may: May, statement: str, allowed: set[Role]
) -> None:
    assert {role for role in LOGINS if may(role, statement)} == allowed


@pytest.mark.parametrize("table", ["privacy_auditevent", "privacy_consent"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_not_even_the_migrator_rewrites_what_happened(
    live: Stack, sealed: Sealed, table: str, verb: str
) -> None:
    with login(live, Role.MIGRATOR) as connection, connection.transaction(force_rollback=True):
        assert connection.execute(f"SELECT 1 FROM {table} LIMIT 1".encode()).fetchone()
        with pytest.raises(psycopg.Error, match=r"append-only|Cannot (update or )?delete"):
            connection.execute(verb.format(table).encode())


@pytest.mark.parametrize("role", [Role.BEAT, Role.FLOWER])
def test_beat_and_flower_have_no_login_no_bucket_and_no_keys(live: Stack, role: Role) -> None:
    given = set(live.env(role))
    taken = set(live.env(Role.WEB)) | set(live.env(Role.KEEPER)) | set(live.env(Role.UPKEEP))
    guarded = {n for n in taken if n.endswith(("_KEYS", "DATABASE_URL")) or "_S3_" in n}
    assert len(guarded) >= 8
    assert not guarded & given
    actual = Path(f"/proc/{live.pid(role)}/environ").read_bytes().decode().split("\0")
    assert not guarded & {line.partition("=")[0] for line in actual}
    assert any(line.startswith("SITTER_BROKER_URL=") for line in actual)


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in found for member in family(int(child)))]


def mapped(pid: int) -> str:
    """What a process has in memory. The zygote hides it from everybody but root, on purpose."""
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except PermissionError:
        assert b"workers.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return ""


def test_no_role_but_the_gpu_has_torch_in_its_memory(live: Stack) -> None:
    roles = [role for role in Role if role not in (Role.MIGRATOR, Role.COURIER)]
    maps = {role: "".join(mapped(pid) for pid in family(live.pid(role))) for role in roles}
    assert all("python" in text for text in maps.values())
    loaded = {role for role, text in maps.items() if "libtorch" in text}
    assert loaded == {Role.GPU}
    pixels = {role for role, text in maps.items() if "_imaging" in text}
    assert pixels == {Role.GPU, Role.INTAKE}


def test_the_live_roles_answer(live: Stack) -> None:
    wait("all alive", lambda: all(member.alive for member in live._crew.members.values()))
