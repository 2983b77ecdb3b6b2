"""A job's event stream: what was missed, what happens, the end, and nothing left behind.

With FULL=1 a thousand clients hang up, otherwise three hundred.
"""

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from accounts.models import Session
from portraits import endings, listening, painting
from portraits.models import Item, Job
from tests.portraits import making
from tests.portraits.serving import Web, session, stream

Following = tuple[httpx.Client, Job, Any]
PERCENT = range(1, 41)
HANG_UP = 1000 if os.environ.get("FULL") else 300


@pytest.fixture
def following(web: Web) -> Any:
    """Somebody's client and their open job of two portraits."""
    who = making.consenting()
    style = making.style()
    job = making.submitted(who, style, 2)
    with web.client(session(who)) as http:
        yield http, job, style


def progress(work: painting.Work, percent: int) -> None:
    assert painting.progress(work.held, Item.Phase.PAINTING, percent)


def finish(born: Any, work: painting.Work) -> None:
    born("gpu")
    assert painting.finish(work.held, making.sizes(work.held.owner_id), making.now())
    born("web")


def test_it_tells_the_whole_job_then_changes_then_the_end(following: Following, born: Any) -> None:
    http, job, style = following
    with stream(http, job.pk) as told:
        first = told.next()
        assert told.retry == 2000
        assert (first.name, first.id) == ("job", 0)
        assert first.data == http.get(f"/v1/jobs/{job.pk}").json()
        work = making.claimed(style)
        update = told.next()
        assert (update.name, update.data["state"]) == ("update", "running")
        assert [item["id"] for item in update.data["items"]] == [str(work.held.work_id)]
        finish(born, work)
        finish(born, making.claimed(style))
        *updates, last, end = told.rest()
    assert {event.name for event in updates} <= {"update"}
    assert (last.name, last.data["outcome"], end.name) == ("update", "complete", "end")
    assert last.id == end.id == Job.objects.get(pk=job.pk).sequence
    assert "items" not in end.data
    numbers = [event.id for event in updates]
    assert numbers == sorted(set(numbers))


def test_who_comes_back_is_told_what_was_missed(following: Following, born: Any) -> None:
    http, job, style = following
    one, other = making.claimed(style), making.claimed(style)
    progress(one, 10)
    seen = Job.objects.get(pk=job.pk).sequence
    progress(other, 20)
    with stream(http, job.pk, seen) as told:
        missed = told.next()
        assert missed.name == "update"
        assert [item["id"] for item in missed.data["items"]] == [str(other.held.work_id)]
        seen = missed.id
    with stream(http, job.pk, seen) as told:
        progress(one, 30)
        news = told.next()
        assert [item["percent"] for item in news.data["items"]] == [30]
        assert news.id == seen + 1
    finish(born, one)
    finish(born, other)
    with stream(http, job.pk, news.id) as told:
        update, end = told.rest()
        assert [item["state"] for item in update.data["items"]] == ["done", "done"]
        assert end.name == "end"
    again = http.get(f"/v1/jobs/{job.pk}/events", headers={"Last-Event-ID": str(end.id)})
    assert (again.status_code, again.content) == (204, b"")


@pytest.mark.parametrize("last", ["", "soon", "-4", "1.5", "9" * 30, "99999"])
def test_a_nonsense_id_is_told_everything(following: Following, last: str) -> None:
    http, job, _ = following
    path, headers = f"/v1/jobs/{job.pk}/events", {"Last-Event-ID": last}
    with http.stream("GET", path, headers=headers) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no"
        lines = response.iter_lines()
        assert [next(lines) for _ in range(4)][2:] == ["id: 0", "event: job"]


def test_it_tells_at_most_four_times_a_second_and_never_backwards(
    following: Following, born: Any
) -> None:
    http, job, style = following
    work = making.claimed(style)

    def paint() -> None:
        for percent in PERCENT:
            progress(work, percent)
            time.sleep(0.05)
        connection.close()

    with stream(http, job.pk) as told, ThreadPoolExecutor(1) as pool:
        events = [told.next()]
        painted = pool.submit(paint)
        while events[-1].data["percent"] < max(PERCENT) // 2:
            events.append(told.next())
        painted.result()
    numbers = [event.id for event in events]
    assert numbers == sorted(set(numbers))
    assert len(events) < len(PERCENT) / 2
    # Written four a second; on its way to us, an event may catch up with the one before.
    assert events[-1].at - events[0].at >= 0.25 * (len(events) - 3)


def test_a_change_is_told_at_once(following: Following) -> None:
    http, job, style = following
    work = making.claimed(style)
    late = []
    with stream(http, job.pk) as told:
        told.next()
        for percent in range(10, 60, 10):
            time.sleep(0.4)
            began = time.monotonic()
            progress(work, percent)
            late.append(told.next().at - began)
    # The bench measures it; here it must only be no looking now and then.
    assert sorted(late)[2] < 0.5 < listening.LOOK_DEAF


def test_a_stream_ends_with_the_session(following: Following) -> None:
    http, job, _ = following
    with stream(http, job.pk) as told:
        told.next()
        Session.objects.filter(pk=http.headers["X-Session-Token"]).delete()
        began = time.monotonic()
        assert [event.name for event in told.rest()] == []
    assert time.monotonic() - began < listening.LOOK_HEARING + 5


def test_a_stream_ends_when_everything_is_stopped(following: Following) -> None:
    http, job, _ = following
    with stream(http, job.pk) as told:
        told.next()
        began = time.monotonic()
        with transaction.atomic():
            endings.stop_person(job.owner_id, making.now(), erase_results=True)
        update, end = told.rest()
    assert (update.data["state"], end.name) == ("cancelled", "end")
    assert time.monotonic() - began < 5


def test_a_job_that_is_gone_ends_its_stream(following: Following) -> None:
    http, job, _ = following
    with stream(http, job.pk) as told:
        told.next()
        Job.objects.filter(pk=job.pk).delete()
        assert told.rest() == []


@pytest.mark.slow
def test_an_idle_stream_is_kept_alive(following: Following) -> None:
    http, job, style = following
    with stream(http, job.pk) as told:
        told.next()
        timer = threading.Timer(11.0, making.claimed, [style])
        timer.start()
        told.next()
        timer.join()
    assert told.comments == 1


def test_nobody_holds_more_than_twenty(following: Following) -> None:
    http, job, _ = following
    path = f"/v1/jobs/{job.pk}/events"
    opened = []
    for _ in range(listening.PER_PERSON):
        held = http.send(http.build_request("GET", path), stream=True)
        assert held.status_code == 200
        opened.append(held)
    for refused in (http.get(path), http.get(f"/v1/jobs/{job.pk}", params={"wait": 1})):
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "10"
        assert refused.json()["errors"][0]["code"] == "too_many_streams"
    assert http.get(f"/v1/jobs/{job.pk}").status_code == 200
    opened.pop().close()
    time.sleep(0.5)
    with stream(http, job.pk) as told:
        assert told.next().name == "job"
    for held in opened:
        held.close()


class Footprint:
    """What a web process holds open."""

    def __init__(self, web: Web) -> None:
        self._pid = web.worker
        self._client = redis.Redis.from_url(settings.BROKER_URL)

    def look(self) -> dict[str, int]:
        process = Path(f"/proc/{self._pid}")
        with psycopg.connect(_database()) as admin:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sitter-web'"
            row = admin.execute(query).fetchone()
        return {
            "descriptors": len(list((process / "fd").iterdir())),
            "threads": len(list((process / "task").iterdir())),
            "connections": row[0] if row else 0,
            "subscriptions": int(self._client.pubsub_numpat()),
        }

    def settled(self, goal: dict[str, int], seconds: float = 30) -> dict[str, int]:
        """Once it is down to the goal, or what it is at the end."""
        deadline = time.monotonic() + seconds
        while True:
            now = self.look()
            if all(now[name] <= goal[name] for name in goal) or time.monotonic() > deadline:
                return now
            time.sleep(0.5)

    def close(self) -> None:
        self._client.close()


def _database() -> str:
    return os.environ["SITTER_DATABASE_URL"]


@pytest.mark.slow
def test_hundreds_of_clients_that_hang_up_leave_nothing(web: Web, following: Following) -> None:
    http, job, _ = following
    token = http.headers["X-Session-Token"]
    request = (
        f"GET /v1/jobs/{job.pk}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Session-Token: {token}\r\n"
    ).encode()

    def hang_up(number: int) -> None:
        with socket.create_connection(("127.0.0.1", web.port), timeout=20) as line:
            line.sendall(request + b"\r\n")
            # Some leave before anything was said, some in the middle, some by a reset.
            if number % 3:
                line.recv(1000)
            if number % 2:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    footprint = Footprint(web)
    # What one request leaves warm is no leak: threads of readers, a subscription, a pool.
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(hang_up, range(40)))
        time.sleep(3)
        before = footprint.look()
        list(crowd.map(hang_up, range(HANG_UP)))
    after = footprint.settled(before)
    footprint.close()
    assert after["threads"] <= before["threads"]
    assert after["descriptors"] <= before["descriptors"]
    assert after["connections"] <= before["connections"]
    assert after["subscriptions"] <= max(1, before["subscriptions"])
    # Nobody of them is still counted.
    opened = [
        http.send(http.build_request("GET", f"/v1/jobs/{job.pk}/events"), stream=True)
        for _ in range(listening.PER_PERSON)
    ]
    assert {held.status_code for held in opened} == {200}
    for held in opened:
        held.close()
