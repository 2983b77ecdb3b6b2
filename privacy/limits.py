"""Counts attempts in fixed windows of time, in the cache that all web processes share.

Who tries is kept as a keyed hash that is another one in each window, and forgotten with it.
"""

from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from privacy.errors import NotReady


def take(what: str, who: str, *, limit: int, window: timedelta, now: datetime) -> int:
    """Count one attempt: 0 if it is within the limit, else the seconds until the next window.

    Raises NotReady when the cache does not answer: what is not counted is not let through.
    """
    seconds = int(window.total_seconds())
    number, passed = divmod(int(now.timestamp()), seconds)
    name = salted_hmac(f"sitter/limit/{what}", f"{number}/{who}", algorithm="sha256").hexdigest()
    key = f"limit:{what}:{name[:32]}"
    try:
        cache.add(key, 0, seconds)
        count = cache.incr(key)
    except RedisError as error:
        raise NotReady("The service is busy. Try again in a few seconds.") from error
    return seconds - passed if count > limit else 0
