"""The one explicit list of what must halt when a person withdraws or goes.

Filled by the apps above, in their AppConfig, because this room does not know what a job is.
"""

import uuid
from datetime import datetime
from typing import Protocol


class Stop(Protocol):
    """End the person's open work; with `erase_results`, destroy what it has made too."""

    def __call__(self, owner_id: uuid.UUID, now: datetime, *, erase_results: bool) -> None: ...


stops: list[Stop] = []


def run(owner_id: uuid.UUID, now: datetime, *, erase_results: bool) -> None:
    """Halt everything, in the caller's transaction, which holds the owner's row alone."""
    for stop in stops:
        stop(owner_id, now, erase_results=erase_results)
