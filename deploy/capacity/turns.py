"""One engine's queue in memory, by the functions that give the database's rows their turns.

It does what portraits/queue.py and privacy/leases.py do with rows: turns when work comes in, the
smallest one first, a turn kept by what is given back. Pure: no clock, no database.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from portraits import scheduling
from portraits.scheduling import Open

Work = TypeVar("Work")
Flow = tuple[Hashable, str]


@dataclass(eq=False, slots=True)
class Ticket(Generic[Work]):
    """A lease's row: whose line it stands in, at which turn, at what cost."""

    work: Work
    flow: Flow
    turn: float
    cost: float


class Line(Generic[Work]):
    """A queue. `front`: how many rows are read to find what is being served; none means all."""

    def __init__(self, front: int | None = None) -> None:
        self._front = front
        # The oldest first among equal turns, as by `ready_at`.
        self._waiting: list[tuple[float, int, Ticket[Work]]] = []
        self._count = 0
        # Turns of what is held, in order.
        self._held: list[float] = []
        self._flows: dict[Flow, list[Ticket[Work]]] = {}
        self.waiting_cost = 0.0
        self.held_cost = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def open(self) -> int:
        """How much waits or is held."""
        return len(self._waiting) + len(self._held)

    def enter(self, who: Hashable, lane: str, pieces: Sequence[tuple[Work, float]]) -> None:
        """Somebody orders these at these costs, in one transaction."""
        flow = (who, lane)
        mine = self._flows.setdefault(flow, [])
        opened = [Open(ticket.turn, ticket.cost) for ticket in mine]
        costs = [cost for _, cost in pieces]
        weight = scheduling.WEIGHTS[lane]
        turns = scheduling.line_up(self._serving(), opened, costs, weight=weight)
        for (work, cost), turn in zip(pieces, turns, strict=True):
            ticket = Ticket(work, flow, turn, cost)
            mine.append(ticket)
            self._wait(ticket)

    def take(self) -> Ticket[Work] | None:
        """The smallest turn that waits, which is held from here on."""
        if not self._waiting:
            return None
        _, _, ticket = heapq.heappop(self._waiting)
        insort(self._held, ticket.turn)
        self.waiting_cost -= ticket.cost
        self.held_cost += ticket.cost
        return ticket

    def let_go(self, ticket: Ticket[Work]) -> None:
        """Nobody holds it, and it may not be taken yet: a pause, or a lease that runs out."""
        self._release(ticket)

    def give_back(self, ticket: Ticket[Work]) -> None:
        """It may be taken again, at the turn that it had."""
        self._wait(ticket)

    def close(self, ticket: Ticket[Work]) -> None:
        """It has ended while it was held; the row goes."""
        self._release(ticket)
        mine = self._flows[ticket.flow]
        mine.remove(ticket)
        if not mine:
            del self._flows[ticket.flow]

    def _wait(self, ticket: Ticket[Work]) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (ticket.turn, self._count, ticket))
        self.waiting_cost += ticket.cost

    def _release(self, ticket: Ticket[Work]) -> None:
        del self._held[bisect_left(self._held, ticket.turn)]
        self.held_cost -= ticket.cost

    def _serving(self) -> float:
        """What is held stands at the front; the last row of it that is read is the present."""
        seen = self._held[: self._front]
        return scheduling.now_serving(seen[-1:], self._waiting[0][0] if self._waiting else None)
