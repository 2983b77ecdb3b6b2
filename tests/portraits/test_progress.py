"""Polling a job: cheap while nothing happens, prompt when something does, and the same for all."""

import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Session
from portraits import asking, gallery, painting
from portraits.models import Item, Job, Portrait
from tests.portraits import making
from tests.portraits.serving import Web, session

Waiting = tuple[httpx.Client, Job, Any]


@pytest.fixture
def waiting(web: Web) -> Any:
    """Somebody's client and their open job of two portraits."""
    who = making.consenting()
    style = making.style()
    job = making.submitted(who, style, 2)
    with web.client(session(who)) as http:
        yield http, job, style


def poll(http: httpx.Client, job: Job, version: str = "", **params: Any) -> httpx.Response:
    headers = {"If-None-Match": version} if version else {}
    return http.get(f"/v1/jobs/{job.pk}", headers=headers, params=params)


def painted(style: Any, percent: int = 30) -> painting.Work:
    work = making.claimed(style)
    assert painting.progress(work.held, Item.Phase.PAINTING, percent)
    return work


def finished(born: Any, style: Any) -> uuid.UUID:
    born("gpu")
    work = painted(style)
    assert painting.finish(work.held, making.sizes(work.held.owner_id), making.now())
    born("web")
    return work.held.work_id


def test_a_poll_says_the_same_as_the_list(waiting: Waiting, born: Any) -> None:
    http, job, style = waiting
    for step in ("queued", "running", "done"):
        if step != "queued":
            finished(born, style)
        (listed,) = http.get("/v1/jobs").json()["results"]
        assert poll(http, job).json() == listed
        assert listed["state"] == step
    assert listed["outcome"] == "complete"
    assert listed["counts"] == {
        **dict.fromkeys(("queued", "running", "failed", "blocked", "cancelled", "expired"), 0),
        "done": 2,
    }
    assert listed["percent"] == 100
    assert [item["portrait"] for item in listed["items"]] == [
        str(pk)
        for pk in Portrait.objects.filter(item__job=job)
        .order_by("item__position")
        .values_list("pk", flat=True)
    ]


def test_nothing_new_is_said_without_a_body(waiting: Waiting) -> None:
    http, job, style = waiting
    painted(style)
    version = poll(http, job).headers["ETag"]
    same = poll(http, job, version)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["ETag"] == version
    assert same.headers["Retry-After"] == "1"
    assert poll(http, job, f'"another", W/{version}').status_code == 304
    assert poll(http, job, "*").status_code == 304
    assert poll(http, job, '"another"').status_code == 200
    assert poll(http, job, "nonsense").status_code == 200


def test_every_change_has_a_version_of_its_own(waiting: Waiting, born: Any) -> None:
    http, job, style = waiting
    versions, numbers = set(), []

    def note() -> None:
        answer = poll(http, job)
        versions.add(answer.headers["ETag"])
        numbers.append(answer.json()["sequence"])

    note()
    work = painted(style, 10)
    note()
    assert painting.progress(work.held, Item.Phase.PAINTING, 20)
    note()
    born("gpu")
    assert painting.finish(work.held, making.sizes(work.held.owner_id), making.now())
    born("web")
    note()
    assert numbers == sorted(set(numbers))
    # A portrait that its owner deletes changes the answer, though the job is what it was.
    gallery.delete(
        work.held.owner_id, Portrait.objects.get(item=work.held.work_id).pk, making.now()
    )
    note()
    assert numbers[-1] == numbers[-2]
    assert len(versions) == 5


def test_an_ended_job_names_no_time_to_come_back(waiting: Waiting) -> None:
    http, job, _ = waiting
    stopped = http.post(f"/v1/jobs/{job.pk}/cancel")
    assert stopped.json()["outcome"] == "nothing", stopped.text
    ended = poll(http, job)
    assert ended.json()["state"] == "cancelled"
    assert "Retry-After" not in ended.headers


@pytest.mark.parametrize("named", [True, False])
def test_a_long_poll_is_answered_by_the_change(waiting: Waiting, named: bool) -> None:
    http, job, style = waiting
    version = poll(http, job).headers["ETag"] if named else ""
    happened: list[float] = []

    def change() -> None:
        happened.append(time.monotonic())
        painted(style)

    timer = threading.Timer(1.0, change)
    timer.start()
    answer = poll(http, job, version, wait=20)
    late = time.monotonic() - happened[0]
    timer.join()
    connection.close()
    assert answer.status_code == 200
    assert answer.json()["sequence"] > 0
    # Looking by itself would take it seconds.
    assert late < 1.0


def test_a_long_poll_that_missed_something_does_not_wait(waiting: Waiting) -> None:
    http, job, style = waiting
    version = poll(http, job).headers["ETag"]
    painted(style)
    began = time.monotonic()
    assert poll(http, job, version, wait=20).status_code == 200
    assert time.monotonic() - began < 5


def test_a_long_poll_ends_when_its_time_is_over(waiting: Waiting) -> None:
    http, job, _ = waiting
    version = poll(http, job).headers["ETag"]
    began = time.monotonic()
    assert poll(http, job, version, wait=1).status_code == 304
    assert 1 <= time.monotonic() - began < 4


def test_nobody_waits_for_an_ended_job(waiting: Waiting) -> None:
    http, job, _ = waiting
    http.post(f"/v1/jobs/{job.pk}/cancel")
    version = poll(http, job).headers["ETag"]
    began = time.monotonic()
    assert poll(http, job, version, wait=20).status_code == 304
    assert poll(http, job, wait=20).status_code == 200
    assert time.monotonic() - began < 5


def test_a_session_that_ends_meanwhile_is_told_nothing(waiting: Waiting) -> None:
    http, job, _ = waiting
    key = http.headers["X-Session-Token"]
    timer = threading.Timer(0.5, lambda: Session.objects.filter(pk=key).delete())
    timer.start()
    answer = poll(http, job, wait=6)
    timer.join()
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "session_ended"


@pytest.mark.parametrize("wait", ["31", "-1", "1.5", "soon", "", "٣", "999999999999999999999"])
def test_a_nonsense_wait_is_refused(waiting: Waiting, wait: str) -> None:
    http, job, _ = waiting
    answer = poll(http, job, wait=wait)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["attr"]) == (400, "invalid_wait", "wait")


@pytest.mark.parametrize("rest", ["", "/events"])
def test_who_may_not_ask_is_told_so_like_anywhere_else(
    web: Web, waiting: Waiting, rest: str
) -> None:
    http, job, _ = waiting
    path = f"/v1/jobs/{job.pk}{rest}"
    with web.client(session(making.consenting())) as other, web.client() as nobody:
        for answer, status, code in (
            (nobody.get(path), 401, "not_authenticated"),
            (nobody.get(path, headers={"X-Session-Token": "gone"}), 401, "session_ended"),
            (other.get(path), 404, "not_found"),
            (http.get(f"/v1/jobs/{uuid.uuid4()}{rest}"), 404, "not_found"),
            (http.delete(path), 405, "method_not_allowed"),
            (http.post(path), 405, "method_not_allowed"),
            (http.options(path), 405, "method_not_allowed"),
        ):
            assert answer.status_code == status, answer.text
            assert answer.headers["Content-Type"] == "application/json"
            (error,) = answer.json()["errors"]
            assert (error["code"], error["attr"]) == (code, None)
        assert nobody.get(path).headers["WWW-Authenticate"] == "Session-Token"
        assert nobody.get("/v1/jobs").headers["WWW-Authenticate"] == "Session-Token"
        assert nobody.get("/v1/jobs").json() == nobody.get(path).json()
        head = http.head(path)
        assert (head.status_code, head.content) == (405, b"")
        assert http.delete(path).headers["Allow"] == "GET"


def test_it_leaves_with_the_headers_of_every_answer(waiting: Waiting) -> None:
    http, job, _ = waiting
    ordinary = http.get("/v1/jobs")
    quick = poll(http, job)
    refused = poll(http, job, wait=99)
    own = {"etag", "retry-after", "content-length", "date", "x-request-id"}
    # Which answers exist by method and cookie does not matter to these; by language they do.
    own |= {"allow", "vary"}
    for answer in (quick, refused):
        assert "Accept-Language" in answer.headers["Vary"]
        assert set(ordinary.headers) - own == set(answer.headers) - own
        for name in set(answer.headers) - own:
            assert answer.headers[name] == ordinary.headers[name], name
    assert len(quick.headers["X-Request-Id"]) == 32
    assert quick.headers["X-Request-Id"] != refused.headers["X-Request-Id"]


def test_a_host_that_is_not_ours_is_refused(waiting: Waiting) -> None:
    http, job, _ = waiting
    answer = http.get(f"/v1/jobs/{job.pk}", headers={"Host": "elsewhere.example"})
    ordinary = http.get("/v1/jobs", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.json()) == (ordinary.status_code, ordinary.json())
    assert answer.status_code == 400


def test_a_poll_takes_two_queries() -> None:
    who = making.consenting()
    style = making.style()
    job = making.submitted(who, style, 3)
    painted(style)
    token = session(who)
    with CaptureQueriesContext(connection) as queries:
        owner_id, found = asking.look(token, job.pk)
    assert (owner_id, found.id) == (who, job.pk)
    assert len(queries) == 2, [query["sql"][:150] for query in queries]


def test_a_person_who_asks_after_an_hour_was_seen() -> None:
    who = making.consenting()
    from accounts.models import User

    long_ago = making.now() - timedelta(hours=2)
    User.objects.filter(pk=who).update(last_seen_at=long_ago)
    job = making.submitted(who, making.style())
    asking.look(session(who), job.pk)
    assert User.objects.get(pk=who).last_seen_at > long_ago + timedelta(hours=1)
