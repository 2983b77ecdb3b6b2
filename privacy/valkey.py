"""The one plain client of Valkey that a process has, for what is counted or lent for a moment."""

from functools import lru_cache
from typing import Any, Final

import redis
from django.conf import settings

# A request waits for the answer, so an answer that is late is none.
PATIENCE: Final = 0.5


@lru_cache(maxsize=1)
def client() -> Any:
    """Any number of threads may use it. What it does raises redis.RedisError."""
    return redis.Redis.from_url(
        settings.BROKER_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )
