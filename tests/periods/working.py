"""A Celery app with one kind of leased work and the product's watch, for a worker of the tests.

The product's own roles would need keys and engines to start; what is tried here needs neither.
"""

import os
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.conf import settings
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
QUEUE = os.environ["WORKING_QUEUE"]

app = Celery("working", broker=settings.BROKER_URL)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_queues=[Queue(QUEUE)],
    task_default_queue=QUEUE,
    broker_transport_options={"visibility_timeout": 600, "socket_connect_timeout": 5},
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)


@app.task(name="tests.work")
def work(work_id: str) -> None:
    """Take all that waits, or nothing."""
    from privacy import leases

    while "WORKING_VAINLY" not in os.environ and (held := leases.claim(QUEUE)):
        leases.close(held)


@worker_init.connect
def _watch(sender: Any, **_: Any) -> None:
    from privacy import dispatch
    from workers import watch

    dispatch.TASKS[QUEUE], dispatch.QUEUES["tests.work"] = "tests.work", QUEUE
    if "WORKING_QUICKLY" in os.environ:
        vars(watch).update(LOOK_EVERY=0.5, UNHEARD_AFTER=timedelta(seconds=2))
    watch.start(QUEUE, sender.concurrency, app.tasks)
