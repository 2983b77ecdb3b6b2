"""A Celery app with one periodic task of one second, for real beats and workers of the tests.

Everything that decides is the product's: the schedule, the slot, the lock. Only the entry is ours.
"""

import os

from celery import Celery
from django.conf import settings
from kombu import Queue

from workers import schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
QUEUE = os.environ["TICKING_QUEUE"]
app = Celery("ticking", broker=settings.BROKER_URL)
schedule.PERIODS[QUEUE] = ("tests.tick", QUEUE, 1.0)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_queues=[Queue(QUEUE)],
    task_default_queue=QUEUE,
    timezone="UTC",
    beat_schedule={
        "tick": {
            "task": "tests.tick",
            "schedule": schedule.OnTheClock(1.0),
            "options": {"queue": QUEUE, "expires": schedule.lives_for(1.0)},
        }
    },
    beat_max_loop_interval=5,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)


@app.on_after_finalize.connect
def _register(**_: object) -> None:
    from django.db import connection

    from workers import periods

    @app.task(name="tests.tick")
    @periods.once
    def tick() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO tests_tick (name, slot, at, worker)"
                " SELECT name, slot, clock_timestamp(), %s FROM privacy_period WHERE name = %s",
                [os.getpid(), QUEUE],
            )
