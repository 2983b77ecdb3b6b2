"""A channel whose connection has gone can be told of an end, and be closed, in peace."""

import uuid
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection, Producer, Queue

from workers.app import app


def in_hand(transport: str) -> tuple[Any, Any]:
    """A channel, and a message that it was given."""
    link: Any = Connection(settings.BROKER_URL, transport=transport).transport
    first, second = (link.create_channel(link) for _ in range(2))
    name = f"test-{uuid.uuid4().hex}"
    Queue(name, channel=first).declare()
    Producer(first).publish("nudge", routing_key=name, exchange="")
    message = second.basic_get(name)
    assert message
    first.queue_delete(name)
    return second, message


def told_late(transport: str, verb: str) -> None:
    """A task ends behind the channel that brought it."""
    channel, message = in_hand(transport)
    channel.close()
    # Giving back what it held has made a pool anew, as a broken connection would not have.
    channel._disconnect_pools()
    getattr(message, verb)()
    assert message.acknowledged


def closed_late(transport: str) -> None:
    """The connection goes first, as it does when an earlier channel fails to close."""
    channel, _ = in_hand(transport)
    channel.connection.channels.remove(channel)
    channel.connection.client.collect()
    channel.close()
    assert channel.connection is None


@pytest.mark.parametrize("verb", ["ack", "reject", "requeue"])
def test_what_ends_too_late_is_let_go(verb: str) -> None:
    told_late(app.conf.broker_transport, verb)


def test_it_closes_in_peace() -> None:
    closed_late(app.conf.broker_transport)


def test_kombu_s_own_still_needs_ours() -> None:
    """Once this fails, workers/broker.py can go."""
    with pytest.raises(AttributeError):
        told_late("redis", "ack")
    with pytest.raises(AttributeError):
        closed_late("redis")


def test_a_connection_that_lives_is_told() -> None:
    with Connection(settings.BROKER_URL, transport=app.conf.broker_transport) as connection:
        channel: Any = connection.channel()
        name = f"test-{uuid.uuid4().hex}"
        Queue(name, channel=channel).declare()
        Producer(channel).publish("nudge", routing_key=name, exchange="")
        channel.basic_get(name).requeue()
        message = channel.basic_get(name)
        assert message.delivery_info["redelivered"]
        message.ack()
        assert channel.basic_get(name) is None
        channel.queue_delete(name)


def test_the_workers_use_it() -> None:
    with app.connection_for_read() as connection:
        assert connection.transport.__class__.__module__ == "workers.broker"
