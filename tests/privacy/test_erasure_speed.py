"""E-01: access is gone at once whatever there is, and the proof of a large account comes soon."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from privacy import erasure, vault
from privacy.audit import Reason
from privacy.errors import BlobGone, KeyDestroyed
from privacy.models import Blob, Erasure
from privacy.parts import Scope
from tests.portraits.making import now, style
from tests.privacy.crowd import crowded
from tests.privacy.erasing import advance, proved

COUNTS = (1, 60, 240)
# The machine of the tests runs a dozen other things; the benchmark is the place for the figure.
SLACK = 10


def statements(call: Callable[[], Any]) -> int:
    """How often PostgreSQL was asked."""
    asked = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal asked
        asked += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        call()
    return asked


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def whole(who: uuid.UUID) -> Erasure:
    return erasure.request(who, now())


def face(who: uuid.UUID) -> Erasure:
    return erasure.request_part(who, Scope.BIOMETRIC, None, now())


@pytest.mark.parametrize("ask", [whole, face])
def test_the_request_costs_the_same_whatever_there_is(
    ask: Callable[[uuid.UUID], Erasure],
) -> None:
    painted = style()
    people = [crowded(count, painted) for count in COUNTS]
    asked = {statements(lambda who=who: ask(who)) for who in people}  # type: ignore[misc]
    assert len(asked) == 1
    for who in people:
        for blob in Blob.objects.filter(owner_id=who)[:3]:
            with pytest.raises((BlobGone, KeyDestroyed)):
                vault.read(blob.pk, now(), why=Reason.OWNER)


def test_a_large_account_is_soon_proved_gone(born: Any) -> None:
    who = crowded(COUNTS[-1], style())
    began = time.monotonic()
    begun = whole(who)
    assert begun.counts == {"portrait": 120, "rendition": 120}
    assert advance(born, begun)
    assert proved(begun).receipt
    assert time.monotonic() - began < 5 * SLACK
