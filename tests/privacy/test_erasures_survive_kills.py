"""E-06: upkeep is killed before every single thing that it does; each erasure is proved once."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from portraits import gallery
from privacy import erasure, signing, storage
from privacy.audit import Verb
from privacy.erasure import LEASE
from privacy.models import AuditEvent, Blob, Erasure, Lease
from tests.conftest import s3_client
from tests.figures import figure
from tests.portraits.making import consenting, now
from tests.privacy.dying import ALL
from tests.privacy.erasing import left, painted_for, proved

# 1 in the environment tries every act, in some minutes; otherwise every so many, and each run
# begins at another one. What is done for many at once is more acts, and each attempt takes longer.
STRIDE = int(os.environ.get("SITTER_KILL_STRIDE", "16"))
STRIDE_OF_MANY = int(os.environ.get("SITTER_KILL_STRIDE", "40"))
DONE = 0
SCOPES = ("account", "portrait")


class Worker:
    """Upkeep in a process of its own, which may be killed at any act."""

    def __init__(self, receipt_keys: Path) -> None:
        argv = [sys.executable, "-m", "tests.privacy.dying", str(receipt_keys)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True)

    def work(self, row: Erasure, kill_before: int) -> int:
        """One attempt; returns how it ended. The lease of a killed one is taken for run out."""
        Lease.objects.filter(kind=LEASE, work_id=row.pk).update(held_until=None, ready_at=now())
        return self._tell(str(row.pk), kill_before)

    def work_all(self, kill_before: int) -> int:
        """The same for all that wait, many at once."""
        Lease.objects.filter(kind=LEASE).update(held_until=None, ready_at=now())
        return self._tell(ALL, kill_before)

    def _tell(self, what: str, kill_before: int) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what} {kill_before}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def worker(key_folders: dict[str, Path]) -> Iterator[Worker]:
    made = Worker(key_folders["RECEIPT_KEYS"])
    with made.process:
        yield made
    assert made.process.returncode == 0


def of_account() -> Erasure:
    who = consenting()
    painted_for(who)
    return erasure.request(who, now())


def of_portrait() -> Erasure:
    who = consenting()
    return gallery.delete(who, painted_for(who).pk, now())


MADE: dict[str, Callable[[], Erasure]] = {"account": of_account, "portrait": of_portrait}


def bodies(row: Erasure) -> list[str]:
    return list(Blob.objects.filter(owner_id=row.subject_id).values_list("name", flat=True))


def check(row: Erasure, names: list[str]) -> None:
    """Proved, once, with a receipt that verifies, and nothing is left."""
    found = proved(row)
    assert found.receipt is not None
    assert signing.verified(found.receipt)
    assert found.receipt["statement"]["destroyed"] == {"portrait": 1, "rendition": 1}
    proofs = AuditEvent.objects.filter(object_id=row.pk, verb=Verb.ERASURE_PROVED)
    assert proofs.count() == 1
    assert not storage.traces_of(names)
    assert not Lease.objects.filter(work_id=row.pk).exists()
    if row.scope == "account":
        assert left(row.subject_id) == []


@pytest.mark.parametrize("scope", SCOPES)
def test_a_kill_before_any_act_costs_nothing_but_time(
    born: Any, worker: Worker, scope: str
) -> None:
    """Each act of an undisturbed run is once the last that a worker of a fresh erasure did."""
    born("web")
    kills, place = 0, 1 + int(uuid.uuid4()) % STRIDE
    while True:
        row = MADE[scope]()
        names = row.names or bodies(row)
        assert len(names) >= 2
        end = worker.work(row, place)
        if end != DONE:
            assert end == -SIGKILL
            kills += 1
            assert worker.work(row, 0) == DONE
        receipt = proved(row).receipt
        check(row, names)
        assert worker.work(row, 0) == 3  # nobody may take it again
        assert proved(row).receipt == receipt
        if end == DONE:
            break
        place += STRIDE
    assert place > 20
    _record(scope, kills)


def test_a_kill_before_any_act_of_a_batch_costs_nothing_but_time(born: Any, worker: Worker) -> None:
    """Many at once: whoever was further than the others is proved once all the same."""
    Lease.objects.filter(kind=LEASE).delete()
    place = 1 + int(uuid.uuid4()) % STRIDE_OF_MANY
    while True:
        born("web")
        people = [consenting() for _ in range(3)]
        for who in people:
            painted_for(who)
        rows = [erasure.request(who, now()) for who in people]
        names = [bodies(row) for row in rows]
        end = worker.work_all(place)
        if end != DONE:
            assert end == -SIGKILL
            assert worker.work_all(0) == DONE
        for row, its in zip(rows, names, strict=True):
            check(row, its)
        if end == DONE:
            break
        place += STRIDE_OF_MANY
    assert place > 60


def test_killed_again_and_again_it_still_ends(born: Any, worker: Worker) -> None:
    """One erasure, and one more act survives each time."""
    born("web")
    row = of_account()
    names = bodies(row)
    for place in range(1, 400, STRIDE):
        if worker.work(row, place) == DONE:
            break
    else:
        pytest.fail("It never came to its end.")
    check(row, names)


def test_what_appears_behind_a_kill_is_found(born: Any, worker: Worker) -> None:
    born("web")
    row = of_account()
    assert worker.work(row, 30) == -SIGKILL
    late = f"portrait/{row.prefix}/{uuid.uuid4().hex}"
    s3_client().put_object(Bucket=os.environ["SITTER_S3_BUCKET"], Key=late, Body=b"noise")
    assert worker.work(row, 0) in (DONE, 2)
    assert worker.work(row, 0) in (DONE, 3)
    proved(row)
    assert not storage.traces(late)


_KILLS: dict[str, int] = {}


def _record(scope: str, kills: int) -> None:
    _KILLS[scope] = kills
    figure(
        "E-06",
        value="exactly 1",
        n=sum(_KILLS.values()),
        holds=True,
        conditions=f"SIGKILL of a real process before every {STRIDE}. statement or S3 request of a"
        f" fresh erasure each ({', '.join(f'{name} {n}' for name, n in _KILLS.items())})",
    )
