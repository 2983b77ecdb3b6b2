"""A channel that was left open by a broken connection can be closed without dialling anybody."""

import uuid
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection, Producer, Queue

from workers.app import app


def closed_late(transport: str) -> None:
    """A message in hand, a connection that has gone, and only then the channel's end."""
    connection = Connection(settings.BROKER_URL, transport=transport)
    link: Any = connection.transport
    first, second = (link.create_channel(link) for _ in range(2))
    name = f"test-{uuid.uuid4().hex}"
    Queue(name, channel=first).declare()
    Producer(first).publish("nudge", routing_key=name, exchange="")
    assert second.basic_get(name)
    first.queue_delete(name)
    # What kombu does when an earlier channel fails to close.
    link.channels.remove(second)
    connection.collect()
    second.close()
    assert second.connection is None


def test_it_ends_in_peace() -> None:
    closed_late(app.conf.broker_transport)


def test_kombu_s_own_still_needs_ours() -> None:
    """Once this fails, workers/broker.py can go."""
    with pytest.raises(AttributeError):
        closed_late("redis")


def test_the_workers_use_it() -> None:
    with app.connection_for_read() as connection:
        assert connection.transport_cls == "workers.broker:Transport"
        assert connection.transport.__class__.__module__ == "workers.broker"
