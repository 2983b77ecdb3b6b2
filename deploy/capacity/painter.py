"""One gpu worker as it is simulated: three hands, one easel, engines that come and go, an end.

What it decides is decided by the real code: `Affinity` chooses among engines, `easel.next_of` says
who paints next. What the threads of workers/ do in between is written down here as events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from deploy.capacity import rules
from deploy.capacity.trace import Piece
from deploy.capacity.turns import Line, Ticket
from portraits.scheduling import Affinity
from workers import easel


@dataclass(frozen=True)
class Timings:
    """Seconds that a worker spends beside painting."""

    nudge: float  # from an order's commit until a resting hand is awake
    fetch: float  # from a claim until the photos are open
    store: float  # from the picture until the portrait is committed
    swap: float  # to load another engine
    start: float  # from being wanted until a new worker takes work


@dataclass(eq=False)
class Stand(easel.Place):
    """A place at the easel, and what stands there. The engine is told once more by the piece."""

    ticket: Ticket[Piece] | None = None

    @property
    def held(self) -> Ticket[Piece]:
        """What stands there."""
        assert self.ticket is not None  # noqa: S101 - every stand is made with one
        return self.ticket


class World(Protocol):
    """What a worker knows of the world."""

    clock: float
    lines: dict[str, Line[Piece]]

    def after(self, seconds: float, painter: "Painter", act: str, *what: object) -> None:
        """Call this method of the painter, unless it has died until then."""

    def ended(self, ticket: Ticket[Piece], how: str) -> None:
        """A piece has its end."""

    def again(self, ticket: Ticket[Piece]) -> None:
        """A piece goes back after a fault, to be tried once more."""

    def returned(self, ticket: Ticket[Piece]) -> None:
        """A piece goes back at once, uncounted: its worker leaves."""

    def lost(self, ticket: Ticket[Piece]) -> None:
        """A piece's holder has died; its lease runs out."""

    def rests(self, painter: "Painter", *, resting: bool) -> None:
        """Whether the worker has a hand that would take more."""

    def painted(self, seconds: float) -> None:
        """A GPU was busy for so long, until now."""

    def left(self, painter: "Painter") -> None:
        """A worker that was asked to leave has done so."""


class Painter:
    """A worker that takes work, or will."""

    def __init__(
        self, world: World, number: int, serves: Sequence[str], most: int, timings: Timings
    ) -> None:
        self.number = number
        # Grows with each death, so that nothing happens to it that was meant for a former life.
        self.life = 0
        self.ready = False
        self.leaving = False
        self.looking = False
        self._world = world
        self._serves = tuple(serves)
        self._most = most or len(serves)
        self._timings = timings
        self._clear()

    def _clear(self) -> None:
        self._affinity = Affinity()
        # Engine → when it was used last.
        self._loaded = dict.fromkeys(self._serves[: self._most], 0.0)
        self._inside: dict[Ticket[Piece], None] = {}
        self._easel: list[Stand] = []
        self._busy = False
        self._since = 0.0
        self._alone = False
        self._lonely: Stand | None = None

    @property
    def idle_hands(self) -> int:
        """How many hands would take work now."""
        if not self.ready or self.leaving or self._alone:
            return 0
        return rules.HANDS - len(self._inside)

    def start(self) -> None:
        """It has loaded its engines and takes work, unless it is not wanted any more."""
        self.ready = not self.leaving
        self.wake()

    def wake(self) -> None:
        """Its hands claim what waits, one waking the next."""
        while self.idle_hands and (ticket := self._claim()) is not None:
            if ticket.work.attempts >= rules.MAX_ATTEMPTS:
                # Its last holder died at the last attempt; whoever claims it says so.
                self._world.ended(ticket, "failed")
                continue
            self._begin(ticket)
        self._world.rests(self, resting=self.idle_hands > 0)

    def look(self) -> None:
        """A hand looks by itself."""
        self.looking = False
        self.wake()

    def _claim(self) -> Ticket[Piece] | None:
        lines = self._world.lines
        if len(self._serves) == 1:
            return lines[self._serves[0]].take()
        waiting = [engine for engine in self._serves if len(lines[engine])]
        if not waiting:
            return None
        at, loaded = self._world.clock, self._told()
        engine = self._affinity.choose(waiting, loaded, at)
        ticket = lines[engine].take()
        if ticket is not None:
            self._affinity.took(engine, ticket.cost, loaded, at)
        return ticket

    def _told(self) -> tuple[str, ...] | None:
        return None if len(self._loaded) == len(self._serves) else tuple(self._loaded)

    def _begin(self, ticket: Ticket[Piece]) -> None:
        piece = ticket.work
        piece.attempts += 1
        if piece.taken is None:
            piece.taken = self._world.clock
        self._inside[ticket] = None
        stand = Stand(piece.engine, ticket=ticket)
        self._easel.append(stand)
        # What was begun before and not brought to an end is painted while nothing else is here.
        self._alone = piece.attempts > 1
        if self._alone and len(self._inside) > 1:
            self._lonely = stand
        else:
            self._world.after(self._timings.fetch, self, "fetched", stand)

    def fetched(self, stand: Stand) -> None:
        """Its photos are open."""
        stand.ready = True
        self._paint()

    def _paint(self) -> None:
        if self._busy:
            return
        stand = easel.next_of(self._easel, self._loaded.__contains__)
        if stand is None:
            return
        self._busy = True
        self._easel.remove(stand)
        if stand.engine in self._loaded:
            self._render(stand)
            return
        while len(self._loaded) >= self._most:
            del self._loaded[min(self._loaded, key=self._loaded.__getitem__)]
        self._world.after(self._timings.swap, self, "brought", stand)

    def brought(self, stand: Stand) -> None:
        """Its engine is in memory."""
        self._affinity.swapped(self._timings.swap)
        self._loaded[stand.engine] = self._world.clock
        self._render(stand)

    def _render(self, stand: Stand) -> None:
        piece = stand.held.work
        self._loaded[stand.engine] = self._since = self._world.clock
        if piece.began is None:
            piece.began = self._world.clock
        self._world.after(piece.seconds, self, "rendered", stand)

    def rendered(self, stand: Stand) -> None:
        """The easel is free; the picture goes on to the gates and the bucket, or back."""
        ticket = stand.held
        piece = ticket.work
        self._busy = False
        self._world.painted(self._world.clock - self._since)
        if piece.fails >= piece.attempts:
            self._world.again(ticket)
            self._leave(ticket)
        elif piece.pictures < piece.held_back:
            piece.pictures += 1
            self._world.after(self._timings.store, self, "held_back", ticket)
        else:
            self._world.after(self._timings.store, self, "stored", ticket)
        self._paint()

    def held_back(self, ticket: Ticket[Piece]) -> None:
        """A gate holds the picture back: a second seed, and no third."""
        if ticket.work.pictures > 1:
            self._world.ended(ticket, "blocked")
            self._leave(ticket)
            return
        self._easel.append(Stand(ticket.work.engine, ready=True, ticket=ticket))
        self._paint()

    def stored(self, ticket: Ticket[Piece]) -> None:
        """Committed."""
        self._world.ended(ticket, "done")
        self._leave(ticket)

    def _leave(self, ticket: Ticket[Piece]) -> None:
        del self._inside[ticket]
        if ticket.work.attempts > 1:
            self._alone = False
        if self._lonely is not None and len(self._inside) == 1:
            self._world.after(self._timings.fetch, self, "fetched", self._lonely)
            self._lonely = None
        if self.leaving and not self._inside:
            self._world.left(self)
            return
        self.wake()

    def leave(self) -> None:
        """Begin nothing more, give back what only waits, finish the rest."""
        self.leaving = True
        self._world.rests(self, resting=False)
        waiting, self._easel, self._lonely = self._easel, [], None
        for stand in waiting:
            ticket = stand.held
            del self._inside[ticket]
            ticket.work.attempts -= 1
            self._world.returned(ticket)
        if not self._inside:
            self._world.left(self)

    def die(self) -> None:
        """Killed in the middle of it; its supervisor starts it again."""
        self.life += 1
        self.ready = self.looking = False
        self._world.rests(self, resting=False)
        only_waiting = {stand.ticket for stand in self._easel}
        inside = list(self._inside)
        self._clear()
        for ticket in inside:
            if ticket in only_waiting:
                ticket.work.attempts -= 1
            self._world.lost(ticket)
        self._world.after(self._timings.start, self, "start")
