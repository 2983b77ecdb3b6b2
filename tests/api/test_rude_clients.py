"""Clients that keep no manners: slow ones hold nobody up, and a header is believed by nobody who
should not."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from deploy.server import HEADER_SECONDS
from tests.api.people import People, Person, refused
from tests.api.sockets import dial, said

SLOW = 100
PATIENCE = 2.0


@pytest.fixture
def crowd(people: People, stranger: Person) -> Iterator[None]:
    """Some who never finish their headers, some who never finish a photo, some who never read."""
    token = stranger.http.headers["X-Session-Token"]
    half = [
        b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        b"PUT /v1/reference-sets/0197a9c5-0000-7000-8000-000000000000/photos/front HTTP/1.1\r\n"
        b"Host: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 3000000\r\n"
        b"X-Session-Token: " + token.encode() + b"\r\n\r\n" + b"\xff" * 1000,
        b"GET /v1/styles HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    lines = [dial(people) for _ in range(SLOW)]
    try:
        for number, line in enumerate(lines):
            line.sendall(half[number % len(half)])
        yield
    finally:
        for line in lines:
            line.close()


@pytest.mark.usefixtures("crowd")
def test_slow_clients_hold_nobody_up(stranger: Person) -> None:
    times = []
    for _ in range(20):
        begun = time.monotonic()
        assert stranger.http.get("/v1/jobs").status_code == 200
        times.append(time.monotonic() - begun)
    assert sorted(times)[-2] < PATIENCE, times


def test_headers_without_end_are_cut_off(people: People) -> None:
    with closing(dial(people)) as line:
        flood = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n"
        answers = said(line, flood)
    assert b"200" not in answers, answers


def test_headers_that_never_end_are_given_up(people: People) -> None:
    with closing(dial(people)) as silent, closing(dial(people)) as dripping:
        dripping.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        for line in (silent, dripping):
            line.settimeout(HEADER_SECONDS + 5)
            with suppress(ConnectionResetError):
                assert line.recv(100) == b""


def test_no_header_of_a_strangers_says_who_they_are(people: People, stranger: Person) -> None:
    with people.client() as http:
        for name in ("X-Forwarded-User", "Remote-User", "X-User-Id", "X-Original-URL"):
            answer = http.get("/v1/jobs", headers={name: str(stranger.id)})
            refused(answer, 401, "not_authenticated")
        told = http.get("/v1/jobs", headers={"X-HTTP-Method-Override": "DELETE"})
        refused(told, 401, "not_authenticated")
        assert http.get("/livez", headers={"Host": "evil.example"}).status_code in (200, 400)
        sign_in = http.get("/v1/styles", headers={"Host": "evil.example"})
        assert sign_in.status_code == 400


def test_no_page_of_another_origin_reads_or_writes_here(stranger: Person) -> None:
    origin = {"Origin": "https://evil.example"}
    asked = stranger.http.options(
        "/v1/jobs", headers={**origin, "Access-Control-Request-Method": "POST"}
    )
    read = stranger.http.get("/v1/jobs", headers=origin)
    for answer in (asked, read):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    # The token is in a header that no form can send; without it a form is nobody's.
    form = stranger.http.post("/v1/me/erasure", data={"scope": "account"}, headers=origin)
    assert form.status_code in (403, 415)


def test_what_nobody_may_set_is_not_set(people: People, stranger: Person) -> None:
    body = {"keep_hours": 1, "owner": str(people.make().id), "id": 1, "state": "in_use"}
    assert stranger.sign("reference-keeping").status_code == 201
    made = stranger.http.post("/v1/reference-sets", json=body)
    assert made.status_code == 201, made.text
    found = stranger.http.get(f"/v1/reference-sets/{made.json()['id']}")
    assert (found.status_code, found.json()["state"]) == (200, "open")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"items": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"items": [{"style": "pencil", "seed": 1e999}]}',
        b'{"items": [{"style": "pencil", "seed": ' + b"9" * 10_000 + b"}]}",
        b'{"items": [{"style": "\\ud800"}]}',
        b'{"items": 1, "items": [{"style": "\xe2\x80\xae"}]}',
        json.dumps({"items": [{"style": "pencil"}] * 5_000}).encode(),
        b"\xef\xbb\xbf{}",
        b"",
    ],
)
def test_no_json_bomb_gets_more_than_a_sentence(stranger: Person, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "bomb"}
    begun = time.monotonic()
    answer = stranger.http.post("/v1/jobs", content=body, headers=headers)
    assert time.monotonic() - begun < 3
    assert answer.status_code in (400, 413, 422), answer.text
    assert set(answer.json()) == {"type", "errors"}


def test_a_language_that_nobody_speaks_here_is_answered_in_english(stranger: Person) -> None:
    for asked in ("tlh", "x" * 5_000, "*", "\u00e9", "zh-Hant-TW-x-a"):
        header = {b"Accept-Language": asked.encode()}
        missing = "/v1/portraits/0197a9c5-0000-7000-8000-000000000000"
        said_of = refused(stranger.http.get(missing, headers=header), 404, "not_found")
        assert said_of == "There is no such portrait."
