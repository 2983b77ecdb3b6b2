"""What lies in the broker while a job waits: a task's name and one random id."""

import ast
import base64
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from deploy.env import Role
from deploy.stack.supervisor import Stack
from tests.chaos.person import Person, wait
from tests.resting import resting


@pytest.fixture
def without_painter(live: Stack, photos: str) -> Iterator[Stack]:
    with resting(live, Role.GPU):
        yield live


@pytest.fixture
def customer(live: Stack) -> Iterator[Person]:
    person = Person(live.urls.web)
    yield person
    person.close()


@pytest.fixture
def photos(customer: Person) -> str:
    """A set with a photo."""
    return customer.ready_set(keep=False)


def queued(stack: Stack, queue: str) -> list[dict[str, Any]]:
    with redis.Redis.from_url(stack.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
        return [json.loads(raw) for raw in broker.lrange(queue, 0, -1)]


def body(message: dict[str, Any]) -> list[Any]:
    coded = message["body"]
    if message["properties"].get("body_encoding") == "base64":
        coded = base64.b64decode(coded)
    found: list[Any] = json.loads(coded)
    return found


def test_a_waiting_job_is_one_id_in_the_broker(
    without_painter: Stack, customer: Person, photos: str
) -> None:
    job = customer.submit(photos, 2)
    waiting = wait("two messages", lambda: queued(without_painter, "gpu"), seconds=10)
    assert len(waiting) >= 2
    for message in waiting:
        args, kwargs, embed = body(message)
        assert kwargs == {}
        assert [str(uuid.UUID(arg)) for arg in args] == args
        assert len(args) == 1
        assert not any(embed.values())
        assert list(ast.literal_eval(message["headers"]["argsrepr"])) == args
        assert message["headers"]["kwargsrepr"] == "{}"
        assert message["headers"]["task"] == "gpu.generate"
        everything = json.dumps(message) + json.dumps(body(message))
        for word in (str(customer.id), customer.id.hex, customer.email, job, "passthrough"):
            assert word not in everything
    customer.ok(customer.http.post(f"/v1/jobs/{job}/cancel"))
