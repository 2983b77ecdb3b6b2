"""A job that does nothing but say when it began. Runs in an environment of the libraries' own.

`noop.main()` submits: arguments are a count and a pause. `QUEUE_LIBRARY` names the library,
`QUEUE_URL` and `QUEUE_DATABASE` are where Valkey and PostgreSQL are. A job is handed the time at
which it was sent, and adds its delay to the list `began`, which costs each library the same.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable

import redis

URL = os.environ["QUEUE_URL"]
DATABASE = os.environ["QUEUE_DATABASE"]
LIBRARY = os.environ["QUEUE_LIBRARY"]
_broker = redis.Redis.from_url(URL)


def began(sent: float) -> None:
    """What every job does."""
    _broker.rpush("began", time.time() - sent)


if LIBRARY == "celery":
    from celery import Celery

    app = Celery("noop", broker=URL)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_ignore_result=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": int(os.environ.get("QUEUE_VISIBLE", 3600))},
    )
    task = app.task(name="noop")(began)

    @app.task(name="slow")
    def slow(seconds: float) -> None:
        """A job that can be killed: says who has begun it."""
        _broker.rpush("slow", os.getpid())
        time.sleep(seconds)
elif LIBRARY == "dramatiq":
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    dramatiq.set_broker(RedisBroker(url=URL))
    task = dramatiq.actor(began, actor_name="noop")
elif LIBRARY == "taskiq":
    from taskiq_redis import RedisStreamBroker

    broker = RedisStreamBroker(URL)

    @broker.task(task_name="noop")
    async def task(sent: float) -> None:
        """taskiq's own way is asynchronous."""
        began(sent)
elif LIBRARY == "procrastinate":
    import procrastinate

    procrastinating = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=DATABASE))
    task = procrastinating.task(name="noop")(began)


def _submitter() -> Callable[[], None]:
    if LIBRARY == "celery":
        return lambda: task.delay(time.time()) and None
    if LIBRARY == "dramatiq":
        return lambda: task.send(time.time()) and None
    if LIBRARY == "rq":
        from rq import Queue

        queue = Queue(connection=_broker)
        return lambda: queue.enqueue("noop.began", time.time(), result_ttl=0) and None
    raise SystemExit(f"There is no library {LIBRARY}.")


async def _submit_taskiq(count: int, pause: float) -> None:
    await broker.startup()
    for _ in range(count):
        await task.kiq(time.time())
        await asyncio.sleep(pause)
    await broker.shutdown()


def _submit_procrastinate(count: int, pause: float) -> None:
    connector = procrastinate.SyncPsycopgConnector(conninfo=DATABASE)
    with procrastinating.replace_connector(connector), procrastinating.open():
        for _ in range(count):
            task.defer(sent=time.time())
            time.sleep(pause)


def main() -> None:
    """Send so many jobs with so long a pause between two of them."""
    wanted, pause = int(sys.argv[1]), float(sys.argv[2])
    if LIBRARY == "taskiq":
        asyncio.run(_submit_taskiq(wanted, pause))
    elif LIBRARY == "procrastinate":
        _submit_procrastinate(wanted, pause)
    else:
        submit = _submitter()
        for _ in range(wanted):
            submit()
            time.sleep(pause)
