"""The ear of a web process: hears which jobs have changed, and wakes whoever waits for them.

One subscription serves all who wait in a process. It hears of every job and drops what nobody here
waits for: long polls come and go so often that subscribing to each would cost more. It carries no
content; who is woken reads the row. While Valkey is away, everybody looks by themselves instead.
"""

import asyncio
import logging
import uuid
from collections import Counter, defaultdict
from time import monotonic
from typing import Any, Final
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from portraits.errors import TooManyStreams
from portraits.live import CHANNEL

log = logging.getLogger(__name__)

# Whoever is not told looks by themselves: often while nothing can be heard, else in case that a
# message was lost on its way.
LOOK_DEAF: Final = 2.0
LOOK_HEARING: Final = 5.0
# So many streams and long polls one person may hold open in one process.
PER_PERSON: Final = 20
# A connection over which nothing came for this long is asked whether it is still there (redis-py's
# own limit of five seconds a read would take silence for death), and given up after twice that.
SILENCE: Final = 5.0
# After a failure, so long until the next try.
PAUSE: Final = 0.5
# Without a listener the ear stays open so long, in case that the next one comes at once.
LINGER: Final = 5.0


class Listener:
    """One who waits for one job. Closing it twice does no harm."""

    def __init__(self, ear: "Ear", job_id: uuid.UUID, owner_id: uuid.UUID) -> None:
        self._ear = ear
        self._told = asyncio.Event()
        self.job_id, self.owner_id = job_id, owner_id
        self.closed = False

    @property
    def leaving(self) -> bool:
        """The process is about to end: whoever waits should answer now."""
        return self._ear.leaving

    def wake(self) -> None:
        """Something may have changed."""
        self._told.set()

    async def changed(self, seconds: float) -> bool:
        """Wait until told, or until it is time to look anyway; whether it was told."""
        limit = min(seconds, LOOK_HEARING if self._ear.hears else LOOK_DEAF)
        try:
            async with asyncio.timeout(max(0.0, limit)):
                await self._told.wait()
        except TimeoutError:
            return False
        return True

    def forget(self) -> None:
        """What was told until now is dealt with: called before the row is read, never after."""
        if not self.leaving:
            self._told.clear()

    def close(self) -> None:
        """Wait no more."""
        if not self.closed:
            self.closed = True
            self._ear.leave(self)


class Ear:
    """Of one event loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: dict[str, set[Listener]] = defaultdict(set)
        self._people: Counter[uuid.UUID] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._left_at = 0.0
        self.hears = False
        self.leaving = False
        # An outage is logged once.
        self._said = False

    @property
    def listeners(self) -> int:
        """How many wait."""
        return self._people.total()

    def listen(self, job_id: uuid.UUID, owner_id: uuid.UUID) -> Listener:
        """Wait for a job; close what is returned. Raises TooManyStreams."""
        if self._people[owner_id] >= PER_PERSON:
            raise TooManyStreams
        listener = Listener(self, job_id, owner_id)
        self._waiting[str(job_id)].add(listener)
        self._people[owner_id] += 1
        if self.leaving:
            listener.wake()
        elif self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._hear())
        return listener

    def leave(self, listener: Listener) -> None:
        """Called by the listener."""
        name = str(listener.job_id)
        self._waiting[name].discard(listener)
        if not self._waiting[name]:
            del self._waiting[name]
        self._people[listener.owner_id] -= 1
        if not self._people[listener.owner_id]:
            del self._people[listener.owner_id]
        self._left_at = monotonic()

    def send_off(self) -> None:
        """The process is to end: everybody answers now, and nobody waits any more."""
        self.leaving = True
        self._wake_all()
        if self._task is not None:
            self._task.cancel()

    async def _hear(self) -> None:
        """Keep a subscription for as long as anybody waits."""
        try:
            while self._wanted():
                try:
                    await self._subscribed()
                except (RedisError, OSError) as error:
                    self._fall_deaf(error)
                    await asyncio.sleep(PAUSE)
        finally:
            self.hears = False

    async def _subscribed(self) -> None:
        # A read may last for ever; who is silent too long is asked, below.
        client = redis.asyncio.Redis.from_url(
            self._url, socket_timeout=None, socket_connect_timeout=2, retry=None
        )
        async with client, client.pubsub() as channel:
            await channel.psubscribe(CHANNEL + "*")
            heard_at = monotonic()
            while self._wanted():
                message = await channel.get_message(timeout=SILENCE)
                if message is not None:
                    heard_at = monotonic()
                    self._take(message)
                elif monotonic() - heard_at > 2 * SILENCE:
                    raise ConnectionError
                else:
                    await channel.ping()

    def _wanted(self) -> bool:
        return bool(self._waiting) or monotonic() - self._left_at < LINGER

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "psubscribe":
            self.hears, self._said = True, False
            # Whatever happened before was heard by nobody.
            self._wake_all()
        elif message["type"] == "pmessage":
            name = message["channel"].decode().removeprefix(CHANNEL)
            for listener in self._waiting.get(name, ()):
                listener.wake()

    def _fall_deaf(self, error: Exception) -> None:
        if not self._said:
            self._said = True
            log.warning("changes_not_heard", extra={"error": type(error).__name__})
        if self.hears:
            self.hears = False
            # Who had meant to be told has to look by themselves from here on.
            self._wake_all()

    def _wake_all(self) -> None:
        for listeners in self._waiting.values():
            for listener in listeners:
                listener.wake()


_ears: WeakKeyDictionary[asyncio.AbstractEventLoop, Ear] = WeakKeyDictionary()


def ear() -> Ear:
    """The one of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _ears:
        _ears[loop] = Ear(settings.BROKER_URL)
    return _ears[loop]
