"""How soon a real Prometheus raises the alert of each of eleven faults, with the rules as they are.

A stack of its own; Prometheus scrapes and judges every two seconds, where the committed settings
say five: add up to six seconds for those. Faults that do not hide each other are done at once.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.env import Role
from deploy.prove.behind import Behind
from deploy.stack.supervisor import Stack
from privacy.retention import Kind
from tests import styles
from tests.bench import report
from tests.chaos.person import Person, views, wait
from tests.metrics.prometheus import MISSING, TOKEN, Prometheus, stopped, watching

GOAL_SECONDS: Final = 120
# Slower than the goal is a finding and no reason to wait for ever.
PATIENCE: Final = 240.0
QUEUE: Final = 20
Alert = tuple[str, str]


@dataclass(frozen=True)
class Fault:
    """What was done, and any of the alerts that tells of it."""

    what: str
    alerts: tuple[Alert, ...]


@dataclass
class Scene:
    """The stack, whoever watches it, and what was measured."""

    stack: Stack
    prometheus: Prometheus
    behind: Behind
    person: Person
    taken: dict[str, float | None]

    def measure(self, *faults: Fault) -> None:
        """Wait until each fault has its alert."""
        began, open_ones = time.monotonic(), list(faults)
        while open_ones and time.monotonic() - began < PATIENCE:
            with suppress(OSError):
                firing = self.prometheus.firing()
                for fault in [one for one in open_ones if firing & set(one.alerts)]:
                    self.taken[fault.what] = time.monotonic() - began
                    open_ones.remove(fault)
                    print(f"{fault.what}: {self.taken[fault.what]:.0f} s", flush=True)
            time.sleep(0.5)
        for fault in open_ones:
            self.taken[fault.what] = None
            print(f"{fault.what}: NOT within {PATIENCE:.0f} s", flush=True)

    def quiet(self) -> None:
        """What was mended fires no more."""
        began = time.monotonic()
        wait("quiet", lambda: not self.prometheus.firing(), seconds=PATIENCE, every=0.5)
        print(f"  quiet again after {time.monotonic() - began:.0f} s", flush=True)

    @contextmanager
    def without(self, *roles: Role) -> Iterator[None]:
        """These roles are stopped, and started again afterwards."""
        for role in roles:
            self.stack.stop_role(role)
        yield
        for role in roles:
            self.stack.start_role(role)
        self.stack.wait_ready()


def run() -> None:
    """All scenes, one after the other; the last ones leave the stack broken."""
    if MISSING:
        report.not_run(["alerts-fire"], "no prometheus is installed")
        return
    with (
        tempfile.TemporaryDirectory(prefix="sitter-") as data,
        tempfile.TemporaryDirectory(prefix="sitter-") as watcher,
        Stack(
            Path(data),
            preferred_ports=False,
            restart=False,
            extra_env={
                "SITTER_METRICS_TOKEN": TOKEN,
                "SITTER_QUEUE_LIMIT": str(QUEUE),
                "SITTER_ENGINES": f'["{styles.PASSTHROUGH}"]',
            },
        ) as stack,
        watching(stack.urls.web, Path(watcher)) as prometheus,
    ):
        styles.publish(stack, "passthrough", styles.PASSTHROUGH, width=512, height=512)
        scene = Scene(stack, prometheus, Behind(stack), Person(stack.urls.web), {})
        _play(scene)
    _keep(scene.taken)


def _play(scene: Scene) -> None:
    kept = scene.person.ready_set()
    scene.quiet()
    for play in (_painter, _upkeep, _beat):
        play(scene, kept)
        scene.quiet()
    with stopped(scene.stack.pid("s3")):
        scene.measure(Fault("the bucket hangs", (("SitterNotReady", "bucket"),)))
    scene.quiet()
    with stopped(scene.stack.pid("postgres")):
        # With a scrape every two seconds nobody waits for what the web says of it.
        alerts: tuple[Alert, ...] = (("SitterNotReady", "database"), ("SitterDown", ""))
        scene.measure(Fault("the database hangs", alerts))
    with scene.without(Role.WEB):
        scene.measure(Fault("the web is stopped", (("SitterDown", ""),)))


def _painter(scene: Scene, kept: str) -> None:
    with scene.without(Role.GPU):
        scene.person.submit(kept, items=QUEUE - 3)
        scene.measure(
            Fault("the painter is stopped", (("SitterNoPainter", styles.PASSTHROUGH),)),
            Fault("the queue is filled", (("SitterQueueFilling", ""),)),
        )


def _upkeep(scene: Scene, kept: str) -> None:
    gone, late = Person(scene.stack.urls.web), Person(scene.stack.urls.web)
    late.ready_set()
    gone.confirm()
    blob = scene.behind.stored(late.id, Kind.REFERENCE)[0].id
    with scene.without(Role.UPKEEP):
        gone.erase()
        scene.behind.rows(
            "UPDATE privacy_blob SET created_at = now() - interval '2 days',"
            " expires_at = now() WHERE id = %s RETURNING 1",
            [blob],
        )
        scene.measure(
            Fault("upkeep is stopped", (("SitterPeriodicWorkStopped", ""),)),
            Fault("an erasure stalls", (("SitterErasureSlow", ""),)),
            Fault("a photo outlives its deadline", (("SitterPastDeadline", ""),)),
        )


def _beat(scene: Scene, kept: str) -> None:
    new = scene.person.new_set()
    with scene.without(Role.BEAT, Role.INTAKE):
        scene.person.put(new, "front", views()["front"])
        scene.behind.rows(
            "DELETE FROM privacy_fleetkey WHERE label = current_date::text RETURNING 1"
        )
        scene.measure(
            Fault("beat is stopped", (("SitterPeriodicWorkStopped", ""),)),
            Fault("the intake is stopped", (("SitterWorkWaits", "reference"),)),
            Fault("the key of the day is gone", (("SitterNotReady", "fleet_key"),)),
        )


def _keep(taken: dict[str, float | None]) -> None:
    report.keep("alerts", {"seconds": taken})
    slowest = max((seconds or PATIENCE for seconds in taken.values()), default=PATIENCE)
    in_time = sum(seconds is not None and seconds <= GOAL_SECONDS for seconds in taken.values())
    report.figure(
        "alerts-fire",
        value=f"{in_time} of {len(taken)}; slowest {slowest:.0f}",
        unit="s",
        n=len(taken),
        holds=in_time == len(taken),
        how="real Prometheus, a scrape and an evaluation every 2 s, rules as committed",
    )
