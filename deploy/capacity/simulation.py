"""The world of a simulated fleet: a clock, the queues, the workers, and what befalls them.

Discrete events: nothing happens between two of them. Turns, choices among engines and places at the
easel are decided by the code that production runs; this module moves the clock.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from deploy.capacity import rules
from deploy.capacity.outcome import Outcome
from deploy.capacity.painter import Painter, Timings
from deploy.capacity.scaling import POLL, Rules, Scaler
from deploy.capacity.shapes import CELL
from deploy.capacity.trace import Mix, Order, Piece
from deploy.capacity.turns import Line, Ticket

SWEEP_EVERY: Final = 5.0


@dataclass(frozen=True)
class Fleet:
    """The workers: so many, or as many as an autoscaler wants."""

    workers: int
    timings: Timings
    # How many engines one has in memory; 0 means all.
    loaded: int = 0
    # Seconds from one death of a worker to its next, on the average; 0 means that none dies.
    deaths: float = 0.0
    # Portraits that may be open in all (SITTER_QUEUE_LIMIT).
    queue_limit: int = 20_000
    scaling: Rules | None = None


_Event = tuple[float, int, Callable[..., None], tuple[Any, ...]]


class Simulation:
    """One run; `run` may be called once."""

    def __init__(self, mix: Mix, orders: Iterator[Order], fleet: Fleet, seed: int) -> None:
        self.clock = 0.0
        self.outcome = Outcome()
        self.lines: dict[str, Line[Piece]] = {
            engine: Line[Piece](rules.FRONT) for engine in mix.engines
        }
        self._mix, self._fleet, self._orders = mix, fleet, orders
        self._chance = random.Random(f"{seed} world")
        self._events: list[_Event] = []
        self._count = 0
        self._open = 0
        self._coming = True
        # In the order in which they ask the broker; who was given a message goes to the end.
        self._consumers: deque[Painter] = deque()
        self._resting: dict[Painter, None] = {}
        self._leaving = 0
        self._waited_before = 0
        self._scaler = Scaler(fleet.scaling) if fleet.scaling else None
        self._made = 0

    def run(self, begin: float = 0.0, until: float | None = None) -> Outcome:
        """From a moment until all that was asked for has ended, or until another."""
        self.clock = begin
        for _ in range(self._fleet.workers):
            self._hire(0.0)
        self._next_order()
        self._at(begin + SWEEP_EVERY, self._sweep)
        if self._scaler:
            self._at(begin, self._scale)
        if self._fleet.deaths:
            self._next_death()
        while self._events and (self._coming or self._open):
            at, _, act, what = heapq.heappop(self._events)
            if until is not None and at > until:
                self._pass(until)
                break
            self._pass(at)
            act(*what)
        self.outcome.ended_at = self.clock
        return self.outcome

    # --- Time -------------------------------------------------------------------------------------

    def _at(self, moment: float, act: Callable[..., None], *what: Any) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, act, what))

    def _pass(self, at: float) -> None:
        """Whatever is counted by time is counted up to now."""
        passed = at - self.clock
        if passed > 0:
            self.outcome.open_area += passed * self._open
            running = len(self._consumers) + self._leaving
            begin = self.clock
            while begin < at:
                end = min(at, (begin // CELL + 1) * CELL)
                self.outcome.cell(begin).running += (end - begin) * running
                begin = end
            self.clock = at

    def after(self, seconds: float, painter: Painter, act: str, *what: object) -> None:
        """See painter.World."""
        self._at(self.clock + seconds, self._to, painter, painter.life, act, what)

    def _to(self, painter: Painter, life: int, act: str, what: tuple[object, ...]) -> None:
        if painter.life == life:
            getattr(painter, act)(*what)

    # --- Orders -----------------------------------------------------------------------------------

    def _next_order(self) -> None:
        order = next(self._orders, None)
        if order is None:
            self._coming = False
            return
        self._at(max(order.asked, self.clock), self._ordered, order)

    def _ordered(self, order: Order) -> None:
        outcome, pieces = self.outcome, order.pieces
        cell = outcome.cell(order.asked)
        cell.orders += 1
        cell.asked += len(pieces)
        outcome.counts["asked"] += len(pieces)
        if self._open + len(pieces) > self._fleet.queue_limit:
            outcome.counts["refused"] += len(pieces)
        else:
            self._open += len(pieces)
            line = self.lines[pieces[0].engine]
            line.enter(order.number, order.lane, [(piece, piece.cost) for piece in pieces])
            outcome.longest_line = max(outcome.longest_line, self._open)
            self._nudge(min(len(pieces), rules.NUDGES))
        self._next_order()

    def _nudge(self, messages: int) -> None:
        """Messages wake whoever has waited longest for one, whether it can take work or not."""
        self.outcome.counts["nudges"] += messages
        for _ in range(messages):
            painter = self._consumer()
            if painter is not None and painter in self._resting:
                self.after(self._fleet.timings.nudge, painter, "wake")
        if self._resting:
            self._at(self.clock + self._fleet.timings.nudge, self._look)

    def _consumer(self) -> Painter | None:
        for _ in range(len(self._consumers)):
            painter = self._consumers[0]
            self._consumers.rotate(-1)
            if painter.ready:
                return painter
        return None

    def _look(self) -> None:
        """What still waits is found by a hand that looks by itself."""
        if not any(len(line) for line in self.lines.values()):
            return
        for painter in self._resting:
            if not painter.looking:
                painter.looking = True
                # The first of its resting hands, each of which looks at a moment of its own.
                part = 1 - self._chance.random() ** (1 / painter.idle_hands)
                self.after(rules.LOOK_EVERY * part, painter, "look")

    def _sweep(self) -> None:
        """Upkeep nudges again for what has waited too long."""
        waiting = sum(map(len, self.lines.values()))
        if waiting and self._waited_before >= rules.NUDGE_AGAIN_AFTER / SWEEP_EVERY:
            self._nudge(min(waiting, rules.NUDGES_A_KIND))
        self._waited_before = self._waited_before + 1 if waiting else 0
        self._at(self.clock + SWEEP_EVERY, self._sweep)

    # --- Ends -------------------------------------------------------------------------------------

    def ended(self, ticket: Ticket[Piece], how: str) -> None:
        """See painter.World."""
        piece = ticket.work
        self.lines[piece.engine].close(ticket)
        piece.ended = self.clock
        self._open -= 1
        self.outcome.counts[how] += 1
        self.outcome.cell(self.clock).done += how == "done"
        self.outcome.note(piece)
        piece.order.left -= 1
        if not piece.order.left:
            self.outcome.note_whole(piece.order, self.clock)

    def again(self, ticket: Ticket[Piece]) -> None:
        """See painter.World."""
        if ticket.work.attempts >= rules.MAX_ATTEMPTS:
            self.ended(ticket, "failed")
            return
        self.outcome.counts["retries"] += 1
        self.lines[ticket.work.engine].let_go(ticket)
        self._nudge(1)
        self._at(self.clock + rules.RETRY, self._free, ticket)

    def returned(self, ticket: Ticket[Piece]) -> None:
        """See painter.World."""
        self.lines[ticket.work.engine].let_go(ticket)
        self._free(ticket)
        self._nudge(1)

    def lost(self, ticket: Ticket[Piece]) -> None:
        """See painter.World."""
        self.outcome.counts["lost leases"] += 1
        self.lines[ticket.work.engine].let_go(ticket)
        left = rules.HELD_FOR - self._chance.uniform(0, rules.RENEW_EVERY)
        self._at(self.clock + left, self._free, ticket)

    def _free(self, ticket: Ticket[Piece]) -> None:
        self.lines[ticket.work.engine].give_back(ticket)
        self._look()

    # --- Workers ----------------------------------------------------------------------------------

    def rests(self, painter: Painter, *, resting: bool) -> None:
        """See painter.World."""
        if resting:
            self._resting[painter] = None
        else:
            self._resting.pop(painter, None)

    def painted(self, seconds: float) -> None:
        """See painter.World."""
        self.outcome.cell(self.clock).busy += seconds

    def left(self, painter: Painter) -> None:
        """See painter.World."""
        self._leaving -= 1

    def _hire(self, start: float) -> None:
        engines = list(self._mix.engines)
        fleet = self._fleet
        # Those of a fleet that cannot hold all engines begin with different ones.
        first = self._made % len(engines)
        serves = [*engines[first:], *engines[:first]]
        painter = Painter(self, self._made, serves, fleet.loaded, fleet.timings)
        self._made += 1
        self._consumers.append(painter)
        self.outcome.most_workers = max(self.outcome.most_workers, len(self._consumers))
        if start:
            self.after(start, painter, "start")
        else:
            painter.start()

    def _scale(self) -> None:
        assert self._scaler  # noqa: S101 - called with one only
        now = len(self._consumers)
        wanted = self._scaler.workers(self.clock, now, self._gpu_seconds())
        for _ in range(wanted - now):
            self._hire(self._fleet.timings.start)
        for _ in range(now - wanted):
            painter = self._consumers.pop()
            self._leaving += 1
            painter.leave()
        self._at(self.clock + POLL, self._scale)

    def _gpu_seconds(self) -> float:
        """What portraits/demand.py would say: costs by what the painters have measured."""
        total = 0.0
        for engine, line in self.lines.items():
            paint = self._mix.paints[engine]
            # What is held is taken to be half done.
            total += (line.waiting_cost + line.held_cost / 2) * paint.seconds / paint.cost
        return total

    def _next_death(self) -> None:
        workers = max(1, len(self._consumers))
        self._at(self.clock + self._chance.expovariate(workers / self._fleet.deaths), self._death)

    def _death(self) -> None:
        alive = [painter for painter in self._consumers if painter.ready]
        if alive:
            self._chance.choice(alive).die()
        self._next_death()
