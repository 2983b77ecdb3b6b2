"""Watches in every worker that work goes on: by the ledger, and not by whether somebody answers.

A worker may live, answer pings and take nothing, as after a lost connection to the broker. When
work of its kinds waits although it has room for it, it takes the work without being asked; when
that does not help, or when nothing it is sent arrives any more, or when somebody in it goes on
with what was taken from them, the process ends so that its supervisor starts another. A silent beat
is said aloud here, because then nothing that beat drives can say it. Refuses to end a process for
what a new one could not mend: a bucket or a broker that is down.
"""

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import structlog
from celery.signals import task_postrun, task_prerun, worker_shutting_down
from django.db import close_old_connections

from portraits import halts
from privacy import dispatch, heartbeats, leases, periods, storage

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 5.0
# Work that waits so long while a thread is free has not been heard of here.
UNHEARD_AFTER: Final = timedelta(seconds=10)
# So often taking it is tried, or a message is awaited, before the process ends.
PATIENCE: Final = 3
# Whoever goes on for so long with what they have lost does not listen any more.
HUNG_AFTER: Final = 120.0
SAY_AGAIN_AFTER: Final = 60.0
# The courier leaves its work alone when its endpoint does.
UNWATCHED: Final = ("courier",)


@dataclass
class Traffic:
    """What Celery's threads do: how many run a task now, and how many tasks have arrived."""

    running: int = 0
    arrived: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def began(self, **_: Any) -> None:
        with self.lock:
            self.running += 1
            self.arrived += 1

    def ended(self, **_: Any) -> None:
        with self.lock:
            self.running -= 1


def end_process() -> None:
    """At once: what hangs would hang an orderly end too, and every lease runs out by itself."""
    logging.shutdown()
    os._exit(1)


@dataclass
class Watch:
    """One look at a time; `drain` takes the work of a kind as if a message had come.

    `busy` counts what it works on, of `room` at the most. `queues` are those that it serves, where
    not everybody serves all.
    """

    kinds: Sequence[str]
    drain: Callable[[str], object]
    room: int
    busy: Callable[[], int] | None = None
    queues: Callable[[], Sequence[str]] | None = None
    traffic: Traffic = field(default_factory=Traffic)
    end: Callable[[], None] = end_process
    _leaving: threading.Event = field(default_factory=threading.Event)
    _draining: threading.Thread | None = None
    _seen: tuple[str, uuid.UUID] | None = None
    _vain: int = 0
    _deaf: int = 0
    _arrived: int = 0
    _born: float = field(default_factory=time.monotonic)
    _said: float = float("-inf")

    def run(self) -> None:
        """Until the worker leaves."""
        while not self._leaving.wait(LOOK_EVERY):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the database is away; the next look tells
                log.warning("watch_failed", error=type(error).__name__)
            finally:
                close_old_connections()

    def leave(self, **_: Any) -> None:
        """The worker shuts down: take nothing more."""
        self._leaving.set()

    def look(self) -> None:
        """Everything, once."""
        if heartbeats.overstayed() > HUNG_AFTER:
            self._end("holder_hangs")
        self._listen_for_beat()
        self._look_at_ledger()

    def _listen_for_beat(self) -> None:
        silent = periods.silent_for()
        # A new installation has no first run to count from.
        seconds = silent.total_seconds() if silent else time.monotonic() - self._born
        due = time.monotonic() - self._said >= SAY_AGAIN_AFTER
        if seconds > periods.SILENT_AFTER.total_seconds() and due:
            self._said = time.monotonic()
            log.critical("beat_silent", seconds=round(seconds))

    def _look_at_ledger(self) -> None:
        if self._draining and self._draining.is_alive():
            return
        found = self._unheard()
        if found is None:
            self._seen, self._vain, self._deaf = None, 0, 0
            return
        # The same as the last time: taking what waits has not reached it.
        self._vain = self._vain + 1 if found == self._seen else 0
        if self.traffic.arrived != self._arrived:
            self._deaf = 0
        self._seen, self._arrived = found, self.traffic.arrived
        if max(self._vain, self._deaf) >= PATIENCE:
            self._end("work_not_taken" if self._vain >= PATIENCE else "broker_not_heard")
            return
        kind, work_id = found
        log.warning("work_not_heard_of", kind=kind, work_id=str(work_id))
        # Counted only if it was sent: no new process hears of anything from a broker that is down.
        self._deaf += dispatch.nudge(kind, work_id)
        self._draining = threading.Thread(target=self._drain, args=[kind], name="drain")
        self._draining.daemon = True
        self._draining.start()

    def _unheard(self) -> tuple[str, uuid.UUID] | None:
        """What waits although this process has room, has taken nothing for long, and could."""
        busy = self.busy() if self.busy else self.traffic.running
        idle = leases.idle_for(self.kinds) > UNHEARD_AFTER.total_seconds()
        if busy >= self.room or not idle or storage.resting():
            return None
        queues = self.queues() if self.queues else None
        return leases.waiting(self.kinds, UNHEARD_AFTER, queues=queues)

    def _drain(self, kind: str) -> None:
        try:
            self.drain(kind)
        except Exception as error:  # noqa: BLE001 - the next look sees that it was in vain
            log.warning("drain_failed", kind=kind, error=type(error).__name__)
        finally:
            close_old_connections()

    def _end(self, why: str) -> None:
        log.critical("worker_ends", code=why)
        self.end()


def start(role: str, threads: int, tasks: Any) -> Watch | None:
    """Watch this worker from now on."""
    if role in UNWATCHED:
        return None
    watch = _watch(role, threads, tasks)
    # Celery keeps no hold of what it calls.
    task_prerun.connect(watch.traffic.began, weak=False)
    task_postrun.connect(watch.traffic.ended, weak=False)
    worker_shutting_down.connect(watch.leave, weak=False)
    threading.Thread(target=watch.run, name="watch", daemon=True).start()
    return watch


def _watch(role: str, threads: int, tasks: Any) -> Watch:
    kinds = [kind for kind, task in dispatch.TASKS.items() if dispatch.QUEUES[task] == role]

    def drain(kind: str) -> None:
        tasks[dispatch.TASKS[kind]].run("")

    if role != "gpu":
        return Watch(kinds, drain, threads)
    from workers import generate, hands  # only this role may load torch

    # A task only wakes who paints, so what Celery runs says nothing of how busy they are.
    atelier = generate.atelier
    return Watch(
        kinds,
        drain,
        hands.COUNT,
        busy=lambda: len(atelier.vigil.all()),
        queues=lambda: halts.running(atelier.studio.served),
    )
