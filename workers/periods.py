"""Runs a periodic task once a period, however many beats send it and however late it comes."""

import functools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from celery import current_task

from privacy import periods
from workers.schedule import PERIODS, lives_for, slot_at

log = structlog.get_logger(__name__)

# task → (entry of the beat table, seconds)
ENTRIES: Final = {task: (name, seconds) for name, (task, _, seconds) in PERIODS.items()}


def once(body: Callable[[], None]) -> Callable[[], None]:
    """Wraps a task of the beat table. Called by hand it runs, as often as it is called."""

    @functools.wraps(body)
    def run() -> None:
        slot = _slot(current_task)
        if slot is None:
            body()
            return
        name, seconds = ENTRIES[current_task.name]
        with periods.turn(name, slot, seconds) as ours:
            if ours:
                body()
            else:
                log.debug("period_has_run", task=current_task.name)

    return run


def _slot(task: Any) -> int | None:
    """The period in which beat sent the message: it expires so long after it was sent.

    A message that was under way for long thus takes no turn of the period in which it arrives.
    """
    expires = task.request.expires if task and not task.request.called_directly else None
    if not expires:
        return None
    _, seconds = ENTRIES[task.name]
    sent = datetime.fromisoformat(expires) - timedelta(seconds=lives_for(seconds))
    return slot_at(sent.timestamp(), seconds)
