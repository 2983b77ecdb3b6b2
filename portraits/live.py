"""Who listens to a job hears that it has changed: its id, and nothing else, over Valkey.

The row is the truth; whoever hears of a change reads it. A message that is lost costs a listener
the time until they look by themselves. Sending never waits: a broker that hangs would hold up the
painter, so a thread of its own sends, and forgets what it cannot send.
"""

import logging
import queue
import threading
import time
import uuid
from functools import partial
from typing import Final

import redis
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

CHANNEL: Final = "sitter:job:"
# A broker that is away is not asked again for so long.
PAUSE: Final = 2.0

_waiting: queue.Queue[str] = queue.Queue(maxsize=1000)
_start = threading.Lock()
_sender: threading.Thread | None = None


def tell(job_id: uuid.UUID) -> None:
    """Once the current transaction has committed, say that this job has changed."""
    transaction.on_commit(partial(_put, str(job_id)))


def _put(job_id: str) -> None:
    global _sender
    with _start:
        if _sender is None or not _sender.is_alive():
            _sender = threading.Thread(target=_send, name="live", daemon=True)
            _sender.start()
    try:
        _waiting.put_nowait(job_id)
    except queue.Full:
        log.warning("change_not_told")


def _send() -> None:
    client = redis.Redis.from_url(
        settings.BROKER_URL, socket_timeout=2, socket_connect_timeout=2, retry=None
    )
    while True:
        job_id = _waiting.get()
        try:
            client.publish(CHANNEL + job_id, "")
        except (redis.RedisError, OSError) as error:
            log.warning("change_not_told", extra={"error": type(error).__name__})
            time.sleep(PAUSE)
