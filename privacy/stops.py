"""The explicit lists of what must halt: when a person withdraws or goes, and after a restore.

Filled by the apps above, in their AppConfig, because this room does not know what a job is.
"""

import uuid
from datetime import datetime
from typing import Protocol


class Stop(Protocol):
    """End the person's open work; with `erase_results`, destroy what it has made too."""

    def __call__(self, owner_id: uuid.UUID, now: datetime, *, erase_results: bool) -> None: ...


class CancelAll(Protocol):
    """End all open work of everybody that somebody asked for; returns how much."""

    def __call__(self, now: datetime) -> int: ...


class LetGo(Protocol):
    """Destroy what is kept beyond its job; a set that an open job reads dies with the job."""

    def __call__(self, owner_id: uuid.UUID, now: datetime) -> None: ...


stops: list[Stop] = []
keepers: list[LetGo] = []
cancels: list[CancelAll] = []


def run(owner_id: uuid.UUID, now: datetime, *, erase_results: bool) -> None:
    """Halt everything, in the caller's transaction, which holds the owner's row alone."""
    for stop in stops:
        stop(owner_id, now, erase_results=erase_results)


def cancel_everybody(now: datetime) -> int:
    """After a restore: a request that a backup brought back is nobody's request any more."""
    return sum(cancel(now) for cancel in cancels)


def let_go(owner_id: uuid.UUID, now: datetime) -> None:
    """Keep nothing any longer, in the caller's transaction, which holds the owner's row alone."""
    for keeper in keepers:
        keeper(owner_id, now)
