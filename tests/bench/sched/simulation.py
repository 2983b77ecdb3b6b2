"""Discrete-event simulations of one queue and its workers, run by the real scheduling functions.

Pure: no clock, no database. Beside ours stand what a plain Celery queue does (first in, first out),
Celery's priority steps as somebody would use them for fairness, and one queue a model.
"""

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from deploy.capacity.turns import Line as Queue
from deploy.capacity.turns import Ticket
from portraits.scheduling import Affinity


@dataclass(frozen=True)
class Asked:
    """One portrait: when it was asked for, by whom, for which engine, and what it takes."""

    at: float
    person: str
    seconds: float = 1.0
    engine: str = ""
    lane: str = "interactive"


@dataclass
class Painted:
    """When a portrait began and ended."""

    asked: Asked
    began: float
    ended: float

    @property
    def wait(self) -> float:
        """Seconds until it began."""
        return self.began - self.asked.at


class Line(Protocol):
    """Decides what is claimed next."""

    def enter(self, asked: Asked) -> None:
        """Somebody asks."""

    def take(self) -> Asked | None:
        """A worker claims."""

    def done(self, asked: Asked) -> None:
        """It is painted."""


class Fifo:
    """A plain Celery queue: first in, first out."""

    def __init__(self) -> None:
        self._waiting: deque[Asked] = deque()

    def enter(self, asked: Asked) -> None:
        self._waiting.append(asked)

    def take(self) -> Asked | None:
        return self._waiting.popleft() if self._waiting else None

    def done(self, asked: Asked) -> None:
        """Nothing to note."""


class PrioritySteps:
    """Celery on Redis with priorities: the more somebody has open, the lower their next."""

    STEPS = (0, 3, 6, 9)

    def __init__(self) -> None:
        self._lists: dict[int, deque[Asked]] = {step: deque() for step in self.STEPS}
        self._open: Counter[str] = Counter()

    def enter(self, asked: Asked) -> None:
        priority = min(9, self._open[asked.person])
        self._open[asked.person] += 1
        self._lists[max(step for step in self.STEPS if step <= priority)].append(asked)

    def take(self) -> Asked | None:
        for waiting in self._lists.values():
            if waiting:
                return waiting.popleft()
        return None

    def done(self, asked: Asked) -> None:
        self._open[asked.person] -= 1


class Fair:
    """Ours: the queue of the capacity plan, by the functions that give the rows their turns."""

    def __init__(self) -> None:
        self._line = Queue[Asked]()
        self._held: dict[int, Ticket[Asked]] = {}

    def enter(self, asked: Asked) -> None:
        self._line.enter(asked.person, asked.lane, [(asked, asked.seconds)])

    def take(self) -> Asked | None:
        ticket = self._line.take()
        if ticket is None:
            return None
        self._held[id(ticket.work)] = ticket
        return ticket.work

    def done(self, asked: Asked) -> None:
        self._line.close(self._held.pop(id(asked)))


def paint(line: Line, trace: Sequence[Asked], *, ahead: int = 0) -> list[Painted]:
    """One worker that never idles; it holds up to `ahead` more, so that it can fetch their photos.

    Portraits are in the order in which they were painted.
    """
    pending = deque(sorted(trace, key=lambda asked: asked.at))
    held: deque[Asked] = deque()
    clock, painted = 0.0, []
    while pending or held:
        if not held:
            clock = max(clock, pending[0].at)
        _let_in(line, pending, clock)
        _fill(line, held, ahead)
        asked = held[0]
        ended = clock + asked.seconds
        # Whoever comes while it paints finds what the worker holds by then already taken.
        _let_in(line, pending, ended)
        painted.append(Painted(asked, clock, ended))
        line.done(held.popleft())
        clock = ended
        _fill(line, held, ahead)
    return painted


def _let_in(line: Line, pending: deque[Asked], until: float) -> None:
    while pending and pending[0].at <= until:
        line.enter(pending.popleft())


def _fill(line: Line, held: deque[Asked], ahead: int) -> None:
    while len(held) <= ahead and (taken := line.take()) is not None:
        held.append(taken)


def shares(painted: Sequence[Painted]) -> dict[str, float]:
    """What each person got of what they were due while they waited or were being painted.

    Due is an equal part of the worker among all who had something open at that moment.
    """
    spans = _spans(painted)
    moments = sorted({moment for span in spans.values() for moment in span})
    due = dict.fromkeys(spans, 0.0)
    for start, end in pairwise(moments):
        there = [who for who, (came, left) in spans.items() if came <= start and left >= end]
        for who in there:
            due[who] += (end - start) / len(there)
    got = dict.fromkeys(spans, 0.0)
    for each in painted:
        got[each.asked.person] += each.asked.seconds
    return {who: got[who] / due[who] for who in spans}


def _spans(painted: Sequence[Painted]) -> dict[str, tuple[float, float]]:
    spans: dict[str, tuple[float, float]] = {}
    for each in painted:
        came, left = spans.get(each.asked.person, (each.asked.at, each.ended))
        spans[each.asked.person] = (min(came, each.asked.at), max(left, each.ended))
    return spans


def jain(values: Sequence[float]) -> float:
    """Jain's index: 1 where all are equal, 1/n where one has everything."""
    return sum(values) ** 2 / (len(values) * sum(value**2 for value in values))


# --- Several engines, one in memory -------------------------------------------------------------


@dataclass
class Swapping:
    """What a worker with one engine in memory did with a trace."""

    swaps: int = 0
    ended: float = 0.0
    waits: dict[int, float] = field(default_factory=dict)


class Choice(Protocol):
    """Decides which engine's work comes next."""

    def choose(self, heads: dict[str, Asked], loaded: str | None, at: float) -> str:
        """One of the engines that have work."""


class Oldest:
    """One queue, first in, first out, whatever engine it needs."""

    def choose(self, heads: dict[str, Asked], loaded: str | None, at: float) -> str:
        return min(heads, key=lambda engine: heads[engine].at)


class InTurn:
    """One Celery queue a model, each asked in turn, as kombu does."""

    def __init__(self) -> None:
        self._order: list[str] = []

    def choose(self, heads: dict[str, Asked], loaded: str | None, at: float) -> str:
        self._order += [engine for engine in heads if engine not in self._order]
        engine = next(name for name in self._order if name in heads)
        self._order.remove(engine)
        self._order.append(engine)
        return engine


class Staying:
    """Ours."""

    def __init__(self, swap: float) -> None:
        self._affinity = Affinity(swap)

    def choose(self, heads: dict[str, Asked], loaded: str | None, at: float) -> str:
        present = {loaded} if loaded else set()
        engine = self._affinity.choose(heads, present, at)
        self._affinity.took(engine, heads[engine].seconds, present, at)
        return engine


def swap(choice: Choice, trace: Sequence[Asked], seconds: float) -> Swapping:
    """One worker, one engine in memory; loading another takes so many seconds."""
    result, loaded, clock = Swapping(), None, 0.0
    pending = deque(enumerate(trace))
    queues: dict[str, deque[tuple[int, Asked]]] = {}
    while pending or any(queues.values()):
        while pending and pending[0][1].at <= clock:
            queues.setdefault(pending[0][1].engine, deque()).append(pending.popleft())
        heads = {engine: waiting[0][1] for engine, waiting in queues.items() if waiting}
        if not heads:
            clock = pending[0][1].at
            continue
        engine = choice.choose(heads, loaded, clock)
        number, asked = queues[engine].popleft()
        if engine != loaded:
            result.swaps += 1
            loaded = engine
            clock += seconds
        result.waits[number] = clock - asked.at
        clock += asked.seconds
        result.ended = clock
    return result


def passed_over(trace: Sequence[Asked], done: Swapping) -> float:
    """The longest that an engine's next work waited while work of other engines was painted.

    What the swaps took is not in it; they have to be made in any order.
    """
    began = {number: trace[number].at + wait for number, wait in done.waits.items()}
    order = sorted(began, key=began.__getitem__)
    left: dict[str, float] = {}
    longest = 0.0
    for place, number in enumerate(order):
        mine = trace[number]
        since = max(mine.at, left.get(mine.engine, 0.0))
        others = 0.0
        for earlier in reversed(order[:place]):
            ended = began[earlier] + trace[earlier].seconds
            if ended <= since:
                break
            if trace[earlier].engine != mine.engine:
                others += min(trace[earlier].seconds, ended - since)
        longest = max(longest, others)
        left[mine.engine] = began[number] + mine.seconds
    return longest


# --- Traces -------------------------------------------------------------------------------------


def one_with_many(seed: int, *, many: int = 200, singles: int = 20) -> list[Asked]:
    """One person asks for many at once; others come with one each while these are painted."""
    chance = random.Random(seed)
    crowd = [Asked(0.0, "many", chance.uniform(0.8, 1.2)) for _ in range(many)]
    # The last come while there is still something to wait behind under every scheduler.
    comings = sorted(chance.uniform(0, many * 0.9) for _ in range(singles))
    alone = [
        Asked(at, f"single {number}", chance.uniform(0.8, 1.2)) for number, at in enumerate(comings)
    ]
    return [*crowd, *alone]


def crowd(seed: int, *, people: int = 20, seconds: float = 60.0) -> list[Asked]:
    """People who all want as much in all, in portraits of very different length."""
    chance = random.Random(seed)
    trace = []
    for number in range(people):
        each = chance.choice((0.5, 1.0, 2.0, 4.0))
        person = f"person {number}"
        trace += [Asked(0.0, person, each) for _ in range(round(seconds / each))]
    chance.shuffle(trace)
    return trace


def newcomers(seed: int, *, many: int = 100, rounds: int = 400) -> list[Asked]:
    """A stream of people with one portrait each that would fill the worker alone."""
    chance = random.Random(seed)
    stream = [Asked(number + chance.random(), f"single {number}") for number in range(1, rounds)]
    return [*(Asked(0.0, "many") for _ in range(many)), *stream]


def models(seed: int, *, rate: float, count: int = 600, engines: int = 3) -> list[Asked]:
    """Poisson arrivals, each for one of some engines at random, from a person of its own."""
    chance = random.Random(seed)
    at, trace = 0.0, []
    for number in range(count):
        at += chance.expovariate(rate)
        trace.append(Asked(at, f"person {number}", engine=f"engine {chance.randrange(engines)}"))
    return trace
