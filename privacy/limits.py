"""Counts what somebody asks for, in Valkey, so that all web processes count together.

A bucket of so many tokens fills evenly over its window, and every attempt takes one. All buckets of
an attempt are looked at and taken from in one script: a hundred attempts at once get no more than
are there, and what one bucket refuses is taken from none. Who tries is kept as a keyed hash that is
another one each day, until the bucket is full again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import redis
from django.utils.crypto import salted_hmac

from privacy import valkey
from privacy.errors import NotReady

# The generic cell rate algorithm; a value is the moment at which its bucket is full again, in
# microseconds. Returns for how long the attempt would have to wait, 0 once it is counted.
_SCRIPT: Final = """
local now, wait, full = tonumber(ARGV[1]), 0, {}
for i, key in ipairs(KEYS) do
    local pause, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    full[i] = math.max(now, tonumber(redis.call('GET', key) or '0')) + pause
    wait = math.max(wait, full[i] - now - window)
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
    local left = math.ceil((full[i] - now) / 1000)
    redis.call('SET', key, string.format('%.0f', full[i]), 'PX', left)
end
return 0
"""


@dataclass(frozen=True)
class Bucket:
    """So many attempts of somebody in a window; all of them at once, or evenly over it."""

    what: str
    who: str
    limit: int
    window: timedelta

    def key(self, now: datetime) -> str:
        """Names nobody."""
        text = f"{now.date()}/{self.who}"
        name = salted_hmac(f"sitter/limit/{self.what}", text, algorithm="sha256").hexdigest()
        return f"limit:{self.what}:{name[:32]}"


def take(buckets: Sequence[Bucket], now: datetime) -> int:
    """Count one attempt: 0 if every bucket has a token, else the seconds until each has one.

    Raises NotReady when Valkey does not answer: the caller says whether what is not counted is let
    through.
    """
    times = [math.floor(now.timestamp() * 1e6)]
    for bucket in buckets:
        window = bucket.window // timedelta(microseconds=1)
        times += [window // bucket.limit, window]
    try:
        wait = _script()(keys=[bucket.key(now) for bucket in buckets], args=times)
    except redis.RedisError as error:
        raise NotReady("The service is busy. Try again in a few seconds.") from error
    return math.ceil(int(wait) / 1e6)


@lru_cache(maxsize=1)
def _script() -> Any:
    return valkey.client().register_script(_SCRIPT)
