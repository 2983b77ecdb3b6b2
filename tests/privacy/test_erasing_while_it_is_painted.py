"""E-05: whoever asks to be forgotten while a portrait is painted never gets that portrait.

SITTER_ERASURE_RACES=200 tries as many random moments as the figure is of; a run has a few of them.
"""

import os
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connections

from portraits import painting
from portraits.models import Item, Portrait, Style
from privacy import erasure, storage, sweeps, vault
from privacy.audit import Reason
from privacy.errors import BlobGone, OwnerErased
from privacy.models import Blob, Capsule, Erasure, OwnerKey
from privacy.parts import Scope
from privacy.plain import Plain
from privacy.retention import ORPHAN_GRACE, Kind
from tests.figures import figure
from tests.portraits.making import consenting, now, style, submitted
from tests.privacy.erasing import advance, left, proved

POINTS = ("claimed", "opened", "begun", "one size", "all sizes")
RACES = int(os.environ.get("SITTER_ERASURE_RACES", "12"))
_TRIED: dict[str, int] = {}


def whole(who: uuid.UUID) -> Erasure:
    return erasure.request(who, now())


def face(who: uuid.UUID) -> Erasure:
    return erasure.request_part(who, Scope.BIOMETRIC, None, now())


def being_painted(who: uuid.UUID, painted: Style, *, opens: bool = True) -> Iterator[str]:
    """What a gpu worker does with an item, step by step; it says after each where it is."""
    work = painting.claim((painted.engine,), now())
    if work is None:
        # On a busy machine the erasure may come before the worker does.
        return
    yield "claimed"
    if opens:
        assert work.photos[0].reference_id is not None
        vault.read(work.photos[0].reference_id, now(), why=Reason.PAINTING)
    yield "opened"
    painting.progress(work.held, Item.Phase.PAINTING, 50)
    yield "begun"
    full = vault.draft(Kind.PORTRAIT, who, Plain(b"full"), now())
    yield "one size"
    thumb = vault.draft(Kind.RENDITION, who, Plain(b"thumb"), now())
    yield "all sizes"
    named = (("full", full), ("thumb", thumb))
    sizes = [painting.Size(name, draft, 8, 8, "image/jpeg") for name, draft in named]
    yield "committed" if painting.finish(work.held, sizes, now()) else "refused"


def nothing_of(who: uuid.UUID, prefix: str, *, account: bool) -> None:
    """No capsule, no portrait, no row; a late body is noise, and the orphan sweep's."""
    assert not Capsule.objects.filter(blob__owner_id=who).exists()
    assert not Portrait.objects.filter(owner_id=who).exists()
    assert not Blob.objects.filter(owner_id=who, state=Blob.State.STORED).exists()
    if account:
        assert left(who) == []
    folders = [f"{kind.name.lower()}/{prefix}/" for kind in (Kind.PORTRAIT, Kind.RENDITION)]
    # The sweep walks through everybody's bodies, so it is asked where one is left.
    if any(map(storage.traces, folders)):
        sweeps.reap_orphans(now() + ORPHAN_GRACE + timedelta(minutes=1))
    assert not any(map(storage.traces, folders))


def record(name: str, n: int) -> None:
    _TRIED[name] = n
    figure(
        "E-05",
        value=0,
        n=sum(_TRIED.values()),
        holds=True,
        conditions="account and face erased at every point of a job, and at random moments of a"
        " worker in a thread of its own",
    )


@pytest.mark.parametrize("ask", [whole, face])
@pytest.mark.parametrize("point", POINTS)
def test_no_portrait_appears_whenever_it_is_asked_for(
    born: Any, ask: Callable[[uuid.UUID], Erasure], point: str
) -> None:
    born("web")
    who, painted = consenting(), style()
    prefix = OwnerKey.objects.get(pk=who).prefix
    submitted(who, painted)
    born("gpu")
    worker = being_painted(who, painted)
    while next(worker) != point:
        pass
    born("web")
    begun = ask(who)
    born("gpu")
    rest = []
    with suppress(BlobGone, OwnerErased):
        rest = list(worker)
    assert "committed" not in rest
    assert advance(born, begun)
    proved(begun)
    nothing_of(who, prefix, account=ask is whole)
    record(f"{point} {ask.__name__}", 1)


def test_at_random_moments_the_erasure_wins_too(born: Any) -> None:
    """The worker may commit first: then its portrait is there for the erasure to take."""
    born("web")
    # The moments spread until some come before the worker is through and some behind.
    painted, committed, spread = style(), 0, 0.12
    for number in range(RACES):
        who, ask = consenting(), (whole, face)[number % 2]
        prefix = OwnerKey.objects.get(pk=who).prefix
        submitted(who, painted)
        said: list[str] = []

        def work(who: uuid.UUID = who, said: list[str] = said) -> None:
            try:
                with suppress(BlobGone, OwnerErased):
                    said.extend(being_painted(who, painted, opens=False))
            finally:
                connections.close_all()

        worker = Thread(target=work)
        worker.start()
        time.sleep(random.uniform(0, spread))
        begun = ask(who)
        worker.join()
        committed += "committed" in said
        spread *= 0.7 if "committed" in said else 1.3
        assert advance(born, begun)
        proved(begun)
        nothing_of(who, prefix, account=ask is whole)
        born("web")
    assert committed < RACES
    record("races", RACES)
