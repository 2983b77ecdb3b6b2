"""The intake and upkeep die in the middle of their work: it is done all the same, and once."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

from deploy.env import Role
from deploy.prove.behind import Behind
from deploy.stack.supervisor import Stack
from privacy.retention import Kind
from tests.chaos.conftest import children, restarted
from tests.chaos.person import Person, say, views, wait
from tests.figures import figure

PROVED = 21  # AuditEvent.Verb.ERASURE_PROVED


def held(behind: Behind, kind: str, owner: Person) -> bool:
    return bool(
        behind.rows(
            "SELECT 1 FROM privacy_lease WHERE kind = %s AND owner_id = %s AND held_until > now()",
            [kind, owner.id],
        )
    )


def alive(pid: int) -> bool:
    with suppress(OSError):
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    return False


def test_a_photo_is_judged_although_the_intake_was_killed_over_it(
    storm: Stack, behind: Behind, ada: Person
) -> None:
    set_id = ada.new_set()
    helpers = children(storm.pid(Role.INTAKE))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ada.put, set_id, "front", views()["front"])
        wait("the intake looks", lambda: held(behind, "reference", ada), every=0.005)
        storm.kill_role(Role.INTAKE, SIGKILL)
        struck = time.monotonic()
        interrupted = ada.photo_state(set_id) == "checking"
        took = restarted(storm, Role.INTAKE)
        assert answer.result(timeout=30).status_code in (200, 202)
    ada.accepted(set_id, seconds=45)
    seconds = time.monotonic() - struck
    say(f"accepted {seconds:.1f} s after the kill, {took:.1f} s of them the intake's start")
    assert interrupted
    assert helpers
    wait("its sandbox is gone", lambda: not any(map(alive, helpers)), seconds=5)
    assert len(behind.stored(ada.id, Kind.REFERENCE)) >= 1
    assert seconds < 45


def test_an_erasure_that_was_interrupted_is_proved_once(storm: Stack, behind: Behind) -> None:
    person = Person(storm.urls.web)
    prefix = behind.prefix(person.id)
    person.ready_set()
    person.confirm()
    # The request writes its intent into the ledger's bucket, so the bucket stops behind it.
    storm.kill_role(Role.UPKEEP, SIGSTOP)
    erasure = person.erase()
    storm.kill_service("s3", SIGSTOP)
    try:
        storm.kill_role(Role.UPKEEP, SIGCONT)
        wait("upkeep is at it", lambda: held(behind, "erasure", person), every=0.01)
        storm.kill_role(Role.UPKEEP, SIGKILL)
        struck = time.monotonic()
    finally:
        storm.kill_service("s3", SIGCONT)
    assert person.ok(person.http.get(f"/v1/erasures/{erasure}"))["stage"] == "shredded"
    assert behind.names_of(prefix)
    restarted(storm, Role.UPKEEP)
    receipt = person.receipt(erasure)["receipt"]
    seconds = time.monotonic() - struck
    proofs = behind.rows(
        "SELECT count(*) FROM privacy_auditevent WHERE verb = %s AND object_id = %s",
        [PROVED, erasure],
    )
    # Without a lease, no later nudge can prove it again.
    assert behind.rows("SELECT 1 FROM privacy_lease WHERE owner_id = %s", [person.id]) == []
    assert person.receipt(erasure)["receipt"] == receipt
    assert proofs == [(1,)]
    assert behind.names_of(prefix) == []
    person.close()
    say(f"proved {seconds:.1f} s after the kill")
    figure(
        "E-06",
        value=f"{proofs[0][0]}",
        n=1,
        holds=None,
        conditions=f"upkeep killed at the bucket's door; proved {seconds:.1f} s later",
    )
