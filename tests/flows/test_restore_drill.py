"""The restore drill, for real: a backup, people who end things, a lost database, the backup again.

It has a stack of its own, because it throws the database away under everybody. Its roles hand on
traces and error reports, so before anything is lost one job is followed through all of them.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery import Celery

from accounts.models import User
from deploy.env import Role
from deploy.prove.search import Search
from deploy.stack import postgres
from deploy.stack.supervisor import Stack
from tests import styles
from tests.api.people import PASSWORD, People
from tests.chaos.person import views, wait
from tests.deploy.wires import Wires, open_wires, told

STAYERS, LEAVERS = 3, 4
ROLES = (Role.GPU, Role.WEB, Role.KEEPER, Role.INTAKE, Role.UPKEEP)


@dataclass
class Backup:
    """pg_dump and pg_restore, as an operator runs them."""

    stack: Stack
    file: Path

    def _run(self, name: str, *arguments: str) -> None:
        program = postgres.program() / "bin" / name
        url = self.stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
        subprocess.run([program, f"--dbname={url}", *arguments], check=True, timeout=120)

    def take(self) -> None:
        self._run("pg_dump", "--format=custom", f"--file={self.file}")

    def restore(self) -> None:
        self._run("pg_restore", "--clean", "--if-exists", "--single-transaction", str(self.file))


@dataclass
class Drill:
    """The stack and what is asked of it."""

    stack: Stack
    people: People
    backup: Backup

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.stack.urls.web}{path}", timeout=30)

    def proved(self, receipt: str) -> bool:
        return bool(self.get(f"/v1/erasures/{receipt}").json()["stage"] == "proved")

    def count(self) -> int:
        return int(self.people.query("SELECT count FROM privacy_pulse")[0][0])

    def keep_ledger(self) -> None:
        """What beat sends each minute."""
        before = self.count()
        url = self.stack.env(Role.UPKEEP)["SITTER_BROKER_URL"]
        with Celery(broker=url) as app:
            app.send_task("upkeep.keep_ledger", queue="upkeep")
        wait("a pulse", lambda: self.count() > before, seconds=60)

    def start(self, *chosen: Role) -> None:
        for role in chosen:
            self.stack.start_role(role)

    def stop(self, *chosen: Role) -> None:
        for role in chosen:
            self.stack.stop_role(role)


@pytest.fixture(scope="module")
def wires() -> Iterator[Wires]:
    """Where traces and error reports go."""
    with open_wires() as opened:
        yield opened


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory, wires: Wires) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("drill")
    own = Stack(
        folder / "data",
        roles=ROLES,
        preferred_ports=False,
        restart=False,
        extra_env={
            "SITTER_ENGINES": json.dumps([styles.PASSTHROUGH]),
            "SITTER_OTLP_ENDPOINT": wires.otlp_endpoint,
            "SITTER_SENTRY_DSN": wires.dsn,
            # Spans are made of lines, and the tests' own level leaves few.
            "SITTER_LOG_LEVEL": "INFO",
        },
    )
    with own:
        people = People(own, views())
        styles.publish(own, "passthrough", styles.PASSTHROUGH, width=1024, height=1024)
        yield Drill(own, people, Backup(own, folder / "backup"))
        people.close()


@pytest.mark.slow
def test_the_web_the_intake_and_the_painter_meet_in_traces_named_by_ids(
    drill: Drill, wires: Wires
) -> None:
    person = drill.people.make()
    answer = person.submit(person.set_with_photo())
    job = person.ended(answer.json()["id"])
    assert job["state"] == "done"

    def of(trace: str) -> list[Any]:
        return [span for span in wires.spans if span.trace_id.hex() == trace]

    trace = job["id"].replace("-", "")
    wanted = {"job_submitted", "item_ended"}
    wait("both spans", lambda: wanted <= {span.name for span in of(trace)})
    names = {span.name: span for span in of(trace)}
    assert names["item_ended"].parent_span_id == names["job_submitted"].span_id
    assert told(names["item_ended"])["sitter.item_id"] == job["items"][0]["id"]
    asked = answer.headers["X-Request-Id"]
    assert [span.name for span in wait("the request", lambda: of(asked))] == ["POST v1/jobs"]
    # Each role sends in batches of its own.
    checked = wait("the intake's", lambda: [s for s in wires.spans if s.name == "photo_checked"])
    received = {span.trace_id for span in wires.spans if span.name == "photo_received"}
    assert {span.trace_id for span in checked} <= received
    search = Search()
    search.add_texts({"e-mail": person.email, "password": PASSWORD})
    assert wires.hold(search) == set()
    assert wires.reports == [], "nothing has failed"


def painted(drill: Drill) -> tuple[Any, str]:
    """Somebody with a living portrait."""
    person = drill.people.make()
    submitted = person.submit(person.set_with_photo())
    assert submitted.status_code in (200, 201, 202), submitted.text
    job = person.ended(submitted.json()["id"])
    assert job["state"] == "done", job
    (portrait,) = person.http.get("/v1/portraits").json()["results"]
    return person, portrait["id"]


def opens(person: Any, portrait: str) -> bool:
    return bool(person.http.get(f"/v1/portraits/{portrait}/image").status_code == 200)


def leave(person: Any) -> str:
    """An account erased; returns the receipt's id."""
    assert person.confirm().status_code == 200
    answer = person.http.post("/v1/me/erasure", json={})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def back(drill: Drill, person: Any) -> None:
    """Everybody was signed out: they sign in again."""
    rows = drill.people.query("SELECT password FROM accounts_user WHERE id = %s", person.id)
    user = User(pk=person.id, email=person.email, password=rows[0][0])
    person.http = drill.people.client(drill.people._session(user))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_backup_brings_nobody_back(drill: Drill) -> None:
    people = drill.people
    stayers = [painted(drill) for _ in range(STAYERS)]
    leavers = [painted(drill) for _ in range(LEAVERS)]
    (deleter, deleted), (shortener, shortened), (withdrawer, _) = (painted(drill) for _ in range(3))
    drill.stop(Role.GPU)
    waiter = people.make()
    waiting = waiter.submit(waiter.set_with_photo()).json()["id"]
    drill.keep_ledger()
    drill.backup.take()

    # The first half is confirmed by the time the database is lost, the second is not.
    receipts = [leave(person) for person, _ in leavers[: LEAVERS // 2]]
    gone = deleter.http.delete(f"/v1/portraits/{deleted}")
    assert gone.status_code == 202, gone.text
    part = gone.json()["id"]
    soon = datetime.now(UTC) + timedelta(days=2)
    moved = shortener.http.patch(
        f"/v1/portraits/{shortened}", json={"expires_at": soon.isoformat()}
    )
    assert moved.status_code == 200, moved.text
    time.sleep(31)
    drill.keep_ledger()
    receipts += [leave(person) for person, _ in leavers[LEAVERS // 2 :]]
    taken = withdrawer.http.post("/v1/consents/withdrawal", json={"portraits": "erase"})
    assert taken.status_code == 200, taken.text
    for receipt in (*receipts, part):
        wait("a receipt", partial(drill.proved, receipt), seconds=60)

    drill.stop(Role.WEB, Role.INTAKE, Role.KEEPER, Role.UPKEEP)
    drill.backup.restore()
    began = time.monotonic()
    assert alive(drill, leavers) == LEAVERS, "the backup did bring them back"
    drill.start(Role.WEB, Role.GPU, Role.INTAKE, Role.KEEPER)
    refusing(drill, stayers[0][0], *stayers[0])
    drill.start(Role.UPKEEP)
    wait("readiness", lambda: drill.get("/readyz").status_code == 200, seconds=60)
    seconds = time.monotonic() - began
    erased = LEAVERS - alive(drill, leavers)
    states = people.query("SELECT state FROM portraits_job WHERE id = %s", waiting)
    drill.stack.wait_ready()

    for receipt in (*receipts, part):
        assert drill.proved(receipt)
    assert states == [("cancelled",)]
    back(drill, waiter)
    (item,) = waiter.http.get(f"/v1/jobs/{waiting}").json()["items"]
    assert (item["state"], item["code"]) == ("cancelled", "restored")
    for person in (deleter, shortener, withdrawer, *(one for one, _ in stayers)):
        assert person.http.get("/v1/me/holdings").status_code == 401, "still signed in"
        back(drill, person)
    assert not opens(deleter, deleted)
    kept = shortener.http.get(f"/v1/portraits/{shortened}").json()
    assert datetime.fromisoformat(kept["expires_at"]) <= soon
    assert withdrawer.http.get("/v1/consents").json()[0]["verb"] == "withdrawn"
    assert withdrawer.http.get("/v1/portraits").json()["results"] == []
    living = sum(opens(person, portrait) for person, portrait in stayers)
    assert (erased, living) == (LEAVERS, STAYERS)
    assert seconds < 90, f"ready {seconds:.0f} s after the restore, every role's start included"
    paints_again(drill, stayers[0][0])


def alive(drill: Drill, leavers: list[tuple[Any, str]]) -> int:
    """How many of them have a key or may sign in."""
    ids = [person.id for person, _ in leavers]
    rows = drill.people.query(
        "SELECT owner_id FROM privacy_ownerkey WHERE owner_id = ANY(%s) AND destroyed_at IS NULL"
        " UNION SELECT id FROM accounts_user WHERE id = ANY(%s)",
        *(ids, ids),
    )
    return len(rows)


def refusing(drill: Drill, person: Any, *_: Any) -> None:
    """Before the replay nobody is served, and nobody works."""

    def said() -> Any:
        try:
            return drill.get("/readyz")
        except httpx.TransportError:
            return None

    ready = wait("the web", said, seconds=60)
    assert ready.status_code == 503
    assert "erasure ledger replay (upkeep does it)" in ready.json()["missing"]
    refused = person.http.get("/v1/portraits")
    assert refused.status_code == 503
    assert refused.json()["errors"][0]["code"] == "restoring"
    assert refused.headers["Retry-After"]
    time.sleep(3)
    for role in (Role.GPU, Role.INTAKE, Role.KEEPER):
        assert drill.stack._crew.members[str(role)].alive
        assert not drill.stack._crew.members[str(role)].look(), role


def paints_again(drill: Drill, person: Any) -> None:
    """The restored system works."""
    submitted = person.submit(person.set_with_photo())
    assert person.ended(submitted.json()["id"])["state"] == "done"


def test_a_backup_of_another_moment_is_no_restore(drill: Drill) -> None:
    """A normal restart of upkeep replays nothing and signs nobody out."""
    person = drill.people.make()
    drill.stop(Role.UPKEEP)
    drill.start(Role.UPKEEP)
    drill.stack.wait_ready()
    assert person.http.get("/v1/me/holdings").status_code == 200
