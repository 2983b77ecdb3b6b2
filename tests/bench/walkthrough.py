"""Faults found and mended by the runbooks alone, with a real Prometheus: each step, in seconds.

For each fault: the alert comes, its page is opened, the page's commands are typed, what they answer
is what the page says, the page's sentence is done, and the alert is over. A page that does not lead
there fails. `python -m tests.bench.walkpage` writes deploy/docs/walkthrough-operator.md from it.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg

from deploy.env import ROOT, Role
from deploy.prove.behind import Behind
from deploy.stack.supervisor import Stack
from privacy.retention import Kind
from tests import styles
from tests.bench import report
from tests.bench.runbook import Answer, Desk, Page
from tests.chaos.person import Person, views, wait
from tests.metrics.prometheus import MISSING, TOKEN, Prometheus, about, stopped, watching

PATIENCE: Final = 240.0
QUEUE: Final = 20
Alert = tuple[str, str]


class PageFails(AssertionError):
    """A page does not lead to the mend: what was typed did not show what the page speaks of."""


@dataclass(frozen=True)
class Sign:
    """One alert of a fault, and how its page leads from there to the mend."""

    fault: str
    alert: Alert
    # The sentence of the page that what was seen leads to.
    reads: str
    # When it is over by the page: a question to Prometheus, or a command that ends with 0.
    mended: str
    # What the page's commands print, and what they do not: regular expressions.
    shows: str = ""
    lacks: str = "(?!)"
    # Another alert that may tell of it first, and the page that both lead to.
    instead: Alert | None = None
    then: str = ""


@dataclass
class Walk:
    """What was done about one alert: seconds since the fault, and what was seen."""

    fault: str
    alert: str
    page: str
    summary: str
    reads: str
    mend: str
    mended: str
    found_after: float
    read_after: float = 0.0
    over_after: float = 0.0
    answers: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Night:
    """A stack, whoever watches it, and the desk of whoever is awake."""

    stack: Stack
    prometheus: Prometheus
    person: Person
    kept: str = ""
    walks: list[Walk] = field(default_factory=list)
    # When an alert was seen first, since all was quiet.
    seen: dict[Alert, float] = field(default_factory=dict)

    @property
    def behind(self) -> Behind:
        return Behind(self.stack)

    def firing(self) -> dict[Alert, dict[str, str]]:
        """The annotations of what fires now; nothing where Prometheus does not answer."""
        found: list[Any] = []
        with suppress(OSError):
            found = self.prometheus.ask("alerts")["alerts"]
        firing = {
            (one["labels"]["alertname"], about(one["labels"])): one["annotations"]
            for one in found
            if one["state"] == "firing"
        }
        for alert in firing:
            self.seen.setdefault(alert, time.monotonic())
        return firing

    def holds(self, mended: str) -> bool:
        """Whether a page's "mended when" is so by now."""
        if mended.startswith(("manage.py", "curl")):
            return Desk(self.stack).type(mended).status == 0
        with suppress(OSError):
            return bool(self.prometheus.ask(f"query?query={quote(mended)}")["result"])
        return False


@dataclass(frozen=True)
class Scene:
    """One cause, made by entering `cause`; leaving it is the mend."""

    cause: Callable[[Night], AbstractContextManager[None]]
    mend: str
    signs: tuple[Sign, ...]


def play(night: Night, scene: Scene) -> None:
    """From the fault to the end of its alerts. Raises PageFails where a page leads nowhere."""
    began = time.monotonic()
    with scene.cause(night):
        walks = [_look(night, sign, scene.mend, began) for sign in _as_they_come(night, scene)]
    for sign, walk in zip(scene.signs, walks, strict=True):
        wait(f"the end of {sign.alert}", partial(_over, night, sign), seconds=PATIENCE, every=1.0)
        walk.over_after = round(time.monotonic() - began, 1)
        print(f"  {walk.alert}: over after {walk.over_after:.0f} s", flush=True)
    night.walks += walks
    quiet(night)


def _over(night: Night, sign: Sign) -> bool:
    return not _told(night, sign) and night.holds(sign.mended)


def quiet(night: Night) -> None:
    """Wait until nothing fires any more."""
    wait("quiet", lambda: not night.firing(), seconds=PATIENCE, every=1.0)
    night.seen.clear()


def _as_they_come(night: Night, scene: Scene) -> Iterator[Sign]:
    """The alerts in the order of the scene, each once it fires."""
    for sign in scene.signs:
        wait(f"{sign.alert}", partial(_told, night, sign), seconds=PATIENCE)
        yield sign


def _told(night: Night, sign: Sign) -> list[Alert]:
    """Which alerts tell of it now."""
    firing = night.firing()
    return [alert for alert in (sign.alert, sign.instead) if alert in firing]


def _look(night: Night, sign: Sign, mend: str, began: float) -> Walk:
    alert = min(_told(night, sign), key=lambda one: night.seen[one])
    told = night.firing()[alert]
    walk = Walk(
        fault=sign.fault,
        alert=" ".join(filter(None, alert)),
        page=told["runbook_url"],
        summary=told["summary"],
        reads=sign.reads,
        mend=mend,
        mended=sign.mended,
        found_after=round(night.seen[alert] - began, 1),
    )
    print(f"{sign.fault}: {walk.alert} after {walk.found_after:.0f} s", flush=True)
    page = Page(ROOT / told["runbook_url"])
    desk = Desk(night.stack)
    answers: list[Answer] = [desk.type(command) for command in page.commands]
    if sign.then and page.file.name != sign.then:
        page = page.linked(sign.then)
        answers += [desk.type(command) for command in page.commands]
    walk.answers = [asdict(answer) for answer in answers]
    walk.read_after = round(time.monotonic() - began, 1)
    seen = "\n".join(answer.text for answer in answers)
    if not re.search(sign.shows, seen) or re.search(sign.lacks, seen):
        raise PageFails(f"{page.file.name} shows something else:\n{seen}")
    if not page.says(sign.reads):
        raise PageFails(f"{page.file.name} does not say: {sign.reads}")
    return walk


# --- The causes -----------------------------------------------------------------------------------


@contextmanager
def without(night: Night, *gone: Role) -> Iterator[None]:
    """These roles are stopped; started again is the mend."""
    for role in gone:
        night.stack.stop_role(role)
    try:
        yield
    finally:
        for role in gone:
            night.stack.start_role(role)
        night.stack.wait_ready()


@contextmanager
def hanging(night: Night, service: str) -> Iterator[None]:
    """A service stands still: it takes connections and answers nobody."""
    with stopped(night.stack.pid(service)):
        yield


@contextmanager
def no_painter(night: Night) -> Iterator[None]:
    with without(night, Role.GPU):
        night.person.submit(night.kept, items=QUEUE - 3)
        yield


@contextmanager
def no_upkeep(night: Night) -> Iterator[None]:
    gone, late = Person(night.stack.urls.web), Person(night.stack.urls.web)
    late.ready_set()
    gone.confirm()
    blob = night.behind.stored(late.id, Kind.REFERENCE)[0].id
    with without(night, Role.UPKEEP):
        gone.erase()
        night.behind.rows(
            "UPDATE privacy_blob SET created_at = now() - interval '2 days',"
            " expires_at = now() WHERE id = %s RETURNING 1",
            [blob],
        )
        yield


@contextmanager
def no_intake(night: Night) -> Iterator[None]:
    new = night.person.new_set()
    with without(night, Role.INTAKE):
        night.person.put(new, "front", views()["front"])
        night.behind.rows(
            "DELETE FROM privacy_fleetkey WHERE label = current_date::text RETURNING 1"
        )
        yield


@contextmanager
def connections_left_open(night: Night) -> Iterator[None]:
    """Somebody's program begins transactions and never ends them; PostgreSQL ends it instead."""
    limit = int(night.behind.rows("SHOW max_connections")[0][0])
    ours = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    used = int(night.behind.rows(ours)[0][0])
    url = night.stack.env(Role.UPKEEP)["SITTER_DATABASE_URL"]
    wanted = int(limit * 0.88) - used
    hung = [psycopg.connect(url) for _ in range(wanted)]
    for one in hung:
        one.execute("SELECT 1")
    try:
        yield
        Desk(night.stack).type(
            'psql -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
            " WHERE state = 'idle in transaction' AND usename = 'sitter_upkeep'\""
        )
    finally:
        for one in hung:
            with suppress(psycopg.Error):
                one.close()


READY: Final = "curl -sf $SITTER_URL/readyz"
PAINTS: Final = f'sitter_painters{{state="ready",engine="{styles.PASSTHROUGH}"}} >= 1'
ROOM: Final = "sum(sitter_items_open) / max(sitter_items_open_limit) < 0.8"
BEATS: Final = "sitter_beat_silent_seconds < 10"
STOPPED: Final = "SitterPeriodicWorkStopped"

BUCKET: Final = Scene(
    lambda night: hanging(night, "s3"),
    "The bucket answers again.",
    (
        Sign(
            fault="the bucket hangs",
            alert=("SitterNotReady", "bucket"),
            shows="missing.*bucket",
            reads="`bucket`, `ledger`: bring the bucket back, or mend its credentials",
            mended=READY,
        ),
    ),
)
PAINTER: Final = Scene(
    no_painter,
    "A gpu worker with the engine is started.",
    (
        Sign(
            fault="the painter is stopped",
            alert=("SitterNoPainter", styles.PASSTHROUGH),
            lacks="worker -Q gpu",
            reads="No gpu worker runs: start one whose `SITTER_ENGINES` names the engine.",
            mended=PAINTS,
        ),
        Sign(
            fault="the queue is filled",
            alert=("SitterQueueFilling", ""),
            shows=r"sitter_items_open\{",
            lacks=r'sitter_painters\{[^}]*state="ready"[^}]*\} [1-9]',
            reads="No `sitter_painters` is `ready`: [no-painter](no-painter.md).",
            mended=ROOM,
        ),
    ),
)
UPKEEP: Final = Scene(
    no_upkeep,
    "Upkeep is started.",
    (
        Sign(
            fault="upkeep is stopped",
            alert=(STOPPED, ""),
            shows="workers.app beat",
            lacks="worker -Q upkeep",
            reads="No upkeep: start it; its log names what it could not start with.",
            mended=BEATS,
        ),
        Sign(
            fault="a photo outlives its deadline",
            alert=("SitterPastDeadline", ""),
            shows=r"sitter_blobs_past_deadline\S* [1-9]",
            lacks="worker -Q upkeep",
            reads="One of them does not run: start it",
            mended="sitter_blobs_past_deadline == 0",
        ),
        Sign(
            fault="an erasure stalls",
            alert=("SitterErasureSlow", ""),
            lacks="erasure_not_proved|worker -Q upkeep",
            reads="No line at all: upkeep is down or busy; start it, or one more.",
            mended="(sitter_erasure_oldest_seconds or vector(0)) < 60",
        ),
    ),
)
BEAT: Final = Scene(
    lambda night: without(night, Role.BEAT),
    "Beat is started.",
    (
        Sign(
            fault="beat is stopped",
            alert=(STOPPED, ""),
            shows="worker -Q upkeep",
            lacks="workers.app beat",
            reads="No beat: start it; two may run.",
            mended=BEATS,
        ),
    ),
)
INTAKE: Final = Scene(
    no_intake,
    "The intake is started.",
    (
        Sign(
            fault="the key of the day is gone",
            alert=("SitterNotReady", "fleet_key"),
            shows="missing.*fleet key",
            reads="`fleet_key`: start the intake, which publishes the keys when it starts.",
            mended=READY,
        ),
        Sign(
            fault="the intake is stopped",
            alert=("SitterWorkWaits", "reference"),
            shows="worker -Q keeper",
            lacks="worker -Q intake",
            reads="`reference`, `check`, `export` are the intake's, `evidence` is the keeper's: "
            "start it.",
            mended='(sitter_lease_oldest_waiting_seconds{kind="reference"} or vector(0)) < 10',
        ),
    ),
)
BROKER: Final = Scene(
    lambda night: hanging(night, "valkey"),
    "The broker answers again.",
    (
        Sign(
            fault="the broker hangs",
            alert=(STOPPED, ""),
            shows="warnings.*broker does not answer",
            reads="Both run: the broker is away",
            mended=BEATS,
        ),
    ),
)
CONNECTIONS: Final = Scene(
    connections_left_open,
    "PostgreSQL ends the transactions that nobody ends.",
    (
        Sign(
            fault="a program leaves transactions open",
            alert=("SitterDatabaseConnections", ""),
            shows=r"sitter_upkeep\s*\|\s*idle in transaction\s*\|\s*\d\d",
            reads="Many `idle in transaction`: something hangs; end it by",
            mended=READY,
        ),
    ),
)
DATABASE: Final = Scene(
    lambda night: hanging(night, "postgres"),
    "PostgreSQL answers again.",
    (
        Sign(
            fault="the database hangs",
            alert=("SitterNotReady", "database"),
            # With a scrape every two seconds nobody may wait for what the web says of it.
            instead=("SitterDown", ""),
            shows="missing.*PostgreSQL",
            reads="`database`: start PostgreSQL, or look whether it takes connections",
            mended=READY,
            then="not-ready.md",
        ),
    ),
)
WEB: Final = Scene(
    lambda night: without(night, Role.WEB),
    "The web is started.",
    (
        Sign(
            fault="the web is stopped",
            alert=("SitterDown", ""),
            shows="^000",
            reads="`/livez` without an answer: start the web",
            mended='up{job="sitter"} == 1',
        ),
    ),
)
SCENES: Final = {
    "painter": PAINTER,
    "upkeep": UPKEEP,
    "beat": BEAT,
    "intake": INTAKE,
    "bucket": BUCKET,
    "broker": BROKER,
    "connections": CONNECTIONS,
    "database": DATABASE,
    "web": WEB,
}
SIGNS: Final = [sign for scene in SCENES.values() for sign in scene.signs]


def run(*names: str) -> None:
    """These scenes, or all, on a stack of its own, with the rules as they are.

    Each fault keeps its newest walk, so that one scene can be walked anew.
    """
    if MISSING:
        print("no prometheus is installed: not run")
        return
    extra = {
        "SITTER_METRICS_TOKEN": TOKEN,
        "SITTER_QUEUE_LIMIT": str(QUEUE),
        "SITTER_ENGINES": f'["{styles.PASSTHROUGH}"]',
    }
    with (
        tempfile.TemporaryDirectory(prefix="sitter-") as data,
        tempfile.TemporaryDirectory(prefix="sitter-") as watcher,
        # A worker that hangs ends itself, and is started again as anywhere.
        Stack(Path(data), preferred_ports=False, restart=True, extra_env=extra) as stack,
        watching(stack.urls.web, Path(watcher)) as prometheus,
    ):
        styles.publish(stack, "passthrough", styles.PASSTHROUGH, width=512, height=512)
        night = Night(stack, prometheus, Person(stack.urls.web))
        night.kept = night.person.ready_set()
        quiet(night)
        failures = [
            problem for name in names or SCENES if (problem := _problem(night, SCENES[name]))
        ]
    _keep(night.walks)
    if failures:
        raise PageFails("\n\n".join(failures))


def _keep(walks: list[Walk]) -> None:
    file = report.FOLDER / "walkthrough.json"
    before = json.loads(file.read_text())["walks"] if file.exists() else []
    newest = {walk["fault"]: walk for walk in [*before, *map(asdict, walks)]}
    known = [newest[sign.fault] for sign in SIGNS if sign.fault in newest]
    report.keep("walkthrough", {"walks": known})


def _problem(night: Night, scene: Scene) -> str:
    """Play it; what went wrong, so that the other pages are walked by as well."""
    try:
        play(night, scene)
    except AssertionError as problem:
        print(f"  FAILED: {problem}", flush=True)
        quiet(night)
        return str(problem)
    return ""


if __name__ == "__main__":
    run(*sys.argv[1:])
