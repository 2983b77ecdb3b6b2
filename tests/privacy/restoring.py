"""A restored database, as its tests make one: the ledger knows what the database does not."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.files.storage import storages
from django.test.utils import override_settings

from portraits import painting
from portraits.models import Portrait
from privacy import ledgerstore, restore
from privacy.models import Pulse
from tests.portraits.making import claimed, consenting, now, sizes, style, submitted

NOWHERE = "http://127.0.0.1:1"


def forget_the_ledger() -> None:
    """An empty bucket, as of a new installation."""
    ledgerstore.delete(
        name
        for prefix in ("intents/", "confirmed/", "pulse/")
        for name in ledgerstore.names(prefix)
    )


def set_back() -> None:
    """The bucket has counted on since the database's backup was made."""
    Pulse.objects.get_or_create(pk=1, defaults={"at": now()})
    ledgerstore.put(f"pulse/{restore.count() + 5:020d}", {})
    assert restore.pending()


def confirmed(what: restore.Intent, who: uuid.UUID, at: datetime, **said: Any) -> restore.Entry:
    """Something that happened behind the backup."""
    entry = restore.Entry(uuid.uuid4(), what, who, at, **said)
    ledgerstore.put(restore.CONFIRMED + entry.name, entry.statement())
    return entry


def undecided(what: restore.Intent, who: uuid.UUID, at: datetime, **said: Any) -> restore.Entry:
    """Something that was asked for and not settled when the database was lost."""
    entry = restore.Entry(uuid.uuid4(), what, who, at, **said)
    ledgerstore.put(restore.INTENTS + entry.name, entry.statement())
    return entry


def painted() -> Portrait:
    """A living portrait of somebody new; their job has ended."""
    who, by = consenting(), style()
    job = submitted(who, by)
    assert painting.finish(claimed(by).held, sizes(who), now())
    return Portrait.objects.get(item__job=job)


@contextmanager
def ledger_at(endpoint: str) -> Iterator[None]:
    """The ledger's bucket is somewhere else for a while."""
    from django.conf import settings

    ledger = settings.STORAGES["ledger"]
    moved = {**ledger, "OPTIONS": {**ledger["OPTIONS"], "endpoint_url": endpoint}}
    with override_settings(STORAGES={**settings.STORAGES, "ledger": moved}):
        assert vars(storages["ledger"])["endpoint_url"] == endpoint
        yield
