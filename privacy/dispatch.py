"""The only producer of messages: a task by name, ids only, after the commit.

A message is a nudge. When the broker is away the row still waits, and the requeue sweep sends the
nudge again; so nothing here raises, and nothing waits long.
"""

import logging
import uuid
from functools import lru_cache

from celery import Celery
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

# Which queue serves which task. A queue is a role, and a role is a compartment.
QUEUES = {
    "intake.check_reference": "intake",
    "intake.check_picture": "intake",
    "intake.export": "intake",
    "keeper.export": "keeper",
    "gpu.generate": "gpu",
    "gpu.paint_trials": "gpu",
    "courier.deliver": "courier",
    "courier.grants": "courier",
    "upkeep.erase": "upkeep",
    "intake.probe": "intake",
    "gpu.probe": "gpu",
    "upkeep.probe": "upkeep",
    "keeper.probe": "keeper",
}
# Which task serves which kind of leased work.
TASKS = {
    "reference": "intake.check_reference",
    "check": "intake.check_picture",
    "export": "intake.export",
    "evidence": "keeper.export",
    "item": "gpu.generate",
    "erasure": "upkeep.erase",
    "webhook": "courier.deliver",
    "grant": "courier.grants",
    # Not leased: an operator asks again (manage.py paint_trials).
    "trial": "gpu.paint_trials",
    # Not leased: whoever misses it is asked again the next day.
    "probe intake": "intake.probe",
    "probe gpu": "gpu.probe",
    "probe upkeep": "upkeep.probe",
    "probe keeper": "keeper.probe",
}


@lru_cache
def _producer() -> Celery:
    app = Celery("sitter-producer", broker=settings.BROKER_URL, set_as_current=False)
    # A broker that hangs must not hang a request: give up soon, the sweep will nudge again.
    app.conf.broker_transport_options = {"socket_timeout": 2, "socket_connect_timeout": 2}
    app.conf.task_ignore_result = True
    app.conf.task_send_sent_event = True
    return app


def send(kind: str, work_id: uuid.UUID) -> None:
    """Nudge the workers for a piece of work once the current transaction has committed."""
    transaction.on_commit(lambda: nudge(kind, work_id))


def nudge(kind: str, work_id: uuid.UUID) -> bool:
    """Send at once. False: the broker is down, and the requeue sweep tries again."""
    task = TASKS[kind]
    try:
        _producer().send_task(task, args=[str(work_id)], queue=QUEUES[task], retry=False)
    except (OperationalError, OSError):
        log.warning("nudge_not_sent", extra={"task": task, "work_id": str(work_id)})
        return False
    return True
