"""What the tests of erasures share: people with a bit of everything, and one attempt of upkeep."""

import uuid
from typing import Any

from django.apps import apps

from accounts.models import Session
from portraits import painting
from portraits.models import Portrait
from privacy import leases, stages
from privacy.erasure import LEASE
from privacy.inventory import TABLES
from privacy.models import Erasure, Lease
from tests.portraits.making import claimed, consenting, now, sizes, style, submitted


class Crash(Exception):
    """The process dies here."""


def live_fully() -> uuid.UUID:
    """A person with a bit of everything: session, consent, photo, portrait, an open job."""
    who, painted = consenting(), style()
    store = Session.get_session_store_class()()
    store["_auth_user_id"] = str(who)
    store.create()
    job = submitted(who, painted, count=2)
    work = claimed(painted)
    assert work.held.owner_id == who
    assert painting.finish(work.held, sizes(who), now())
    assert job.references_id
    return who


def painted_for(who: uuid.UUID) -> Portrait:
    """A finished portrait in two sizes, from a job that has ended."""
    wanted = style()
    submitted(who, wanted)
    work = claimed(wanted)
    assert painting.finish(work.held, sizes(who), now())
    return Portrait.objects.get(item_id=work.held.work_id)


def claim(erasure: Erasure) -> leases.Claim:
    """The right to work on this erasure, whatever it waits for."""
    Lease.objects.filter(kind=LEASE, work_id=erasure.pk).update(held_until=None, ready_at=now())
    held = leases.claim(LEASE, among=[erasure.pk])
    assert held is not None
    return held


def advance(born: Any, erasure: Erasure) -> bool:
    """One attempt of upkeep at this erasure."""
    born("upkeep")
    return stages.advance(claim(erasure), now)


def proved(erasure: Erasure) -> Erasure:
    """The same row, which says that it is proved."""
    found = Erasure.objects.get(pk=erasure.pk)
    assert found.stage == Erasure.Stage.PROVED
    assert found.receipt is not None
    return found


def left(who: uuid.UUID) -> list[str]:
    """Rows of a person, by table, looked up without the product's own proof."""
    found = []
    for table in TABLES:
        if table.owner:
            rows = apps.get_model(table.model)._default_manager.filter(**{table.owner: who})
            found += [table.model] * rows.count()
    return found
