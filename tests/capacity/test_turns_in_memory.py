"""The simulated queue and the database's give the same turns and hand out the same work."""

import random
import uuid
from typing import Any

import pytest
from django.db import transaction

from deploy.capacity import rules
from deploy.capacity.turns import Line, Ticket
from portraits import queue
from portraits.endings import LEASE
from privacy import leases
from tests.portraits.making import owner


@pytest.mark.parametrize("seed", range(1, 4))
def test_both_queues_hand_out_the_same_work_in_the_same_order(born: Any, seed: int) -> None:
    chance = random.Random(seed)
    engine = f"t{uuid.uuid4().hex[:12]}"
    people = [owner() for _ in range(5)]
    line = Line[uuid.UUID](rules.FRONT)
    held: list[tuple[Ticket[uuid.UUID], leases.Claim]] = []
    handed_out = 0
    for _ in range(120):
        act = chance.choice(("order", "claim", "claim", "end"))
        if act == "order":
            lane, count = chance.choice((("interactive", 1), ("interactive", 3), ("pack", 8)))
            who = chance.choice(people)
            pieces = [(uuid.uuid4(), chance.choice((1.0, 2.5, 40.0))) for _ in range(count)]
            with transaction.atomic():
                places = queue.places(who, lane, [(engine, cost) for _, cost in pieces])
                work = dict(zip((pk for pk, _ in pieces), places, strict=True))
                leases.open_all(LEASE, who, work)
            line.enter(who, lane, pieces)
        elif act == "claim":
            ticket, claim = line.take(), leases.claim(LEASE, queues=[engine])
            assert (ticket is None) == (claim is None)
            if ticket is not None and claim is not None:
                assert ticket.work == claim.work_id
                assert ticket.cost == claim.cost
                handed_out += 1
                held.append((ticket, claim))
        elif held:
            ticket, claim = held.pop(chance.randrange(len(held)))
            line.close(ticket)
            assert leases.close(claim)
    assert handed_out > 20


def test_what_is_given_back_keeps_its_turn() -> None:
    line = Line[str]()
    line.enter("a", "interactive", [("first", 1.0), ("second", 1.0)])
    ticket = line.take()
    assert ticket is not None
    line.let_go(ticket)
    line.enter("b", "interactive", [("other", 5.0)])
    line.give_back(ticket)
    again = line.take()
    assert again is ticket


def test_costs_are_those_of_what_waits_and_of_what_is_held() -> None:
    line = Line[str]()
    line.enter("a", "pack", [("one", 2.0), ("two", 3.0)])
    assert (line.waiting_cost, line.held_cost, line.open) == (5.0, 0.0, 2)
    ticket = line.take()
    assert ticket is not None
    assert (line.waiting_cost, line.held_cost, line.open) == (3.0, 2.0, 2)
    line.close(ticket)
    assert (line.waiting_cost, line.held_cost, line.open) == (3.0, 0.0, 1)


def test_where_more_is_held_than_is_read_the_present_lags_behind() -> None:
    near, far = Line[int](2), Line[int]()
    for line in (near, far):
        for who in range(5):
            line.enter(who, "interactive", [(who, 1.0)])
            assert line.take() is not None
        line.enter("new", "interactive", [(9, 1.0)])
    newest = [line.take() for line in (near, far)]
    turns = [ticket.turn for ticket in newest if ticket]
    assert turns[0] < turns[1]
