"""Requests whose end two servers could see in two places, over bare sockets against the real web.

Behind every one hides a second request. It is never answered: either the server sees one request
and says what is wrong with it, or it hangs up.
"""

import socket
import time
from contextlib import closing
from typing import Final

import pytest

from tests.api.people import People, Person
from tests.api.sockets import dial, said

HIDDEN: Final = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED: Final = b"0\r\n\r\n" + HIDDEN
POST: Final = b"POST /v1/face-claims HTTP/1.1\r\nHost: localhost\r\n"
PLAIN: Final = b"Content-Type: application/json\r\n"

# By the name that it has among those who look for it.
AMBIGUOUS: Final = {
    "CL.TE": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "TE.CL": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + CHUNKED,
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 44\r\n\r\n" + CHUNKED,
    "two lengths in one": POST + b"Content-Length: 4, 44\r\n\r\n" + CHUNKED,
    "unknown coding": POST + b"Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n" + CHUNKED,
    "two codings": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
    + CHUNKED,
    "coding behind chunked": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKED,
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKED,
    "length below zero": POST + b"Content-Length: -1\r\n\r\n" + CHUNKED,
    "length with a sign": POST + b"Content-Length: +4\r\n\r\n" + CHUNKED,
    "length in hex": POST + b"Content-Length: 0x4\r\n\r\n" + CHUNKED,
    "length with a space": POST + b"Content-Length: 4 4\r\n\r\n" + CHUNKED,
    "space before the colon": POST
    + b"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n"
    + CHUNKED,
    "tab before the colon": POST
    + b"Transfer-Encoding\t: chunked\r\nContent-Length: 4\r\n\r\n"
    + CHUNKED,
    "folded header": POST
    + b"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
    + CHUNKED,
    "header of one line feed": POST
    + b"X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
    + CHUNKED,
    "line feeds alone": POST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + HIDDEN,
    "return in a value": POST + b"X-A: b\rContent-Length: 4\r\n\r\n" + CHUNKED,
    "nul in a name": POST + b"Transfer-\0Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + CHUNKED,
    "nul in a value": POST + b"X-A: b\0c\r\nContent-Length: 4\r\n\r\n" + CHUNKED,
    "header without a name": POST + b": chunked\r\nContent-Length: 4\r\n\r\n" + CHUNKED,
    "header without a colon": POST + b"Transfer-Encoding\r\nContent-Length: 4\r\n\r\n" + CHUNKED,
    "chunk below zero": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + CHUNKED,
    "chunk in 0x": POST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\n" + CHUNKED,
    "chunk without its end": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef" + CHUNKED,
    "chunk of one line feed": POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n" + CHUNKED,
    "old version": b"POST /v1/face-claims HTTP/1.0\r\nHost: localhost\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "two hosts": POST + b"Host: evil.example\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_two_servers_could_read_in_two_ways_is_never_read_as_two(
    people: People, name: str
) -> None:
    with closing(dial(people)) as line:
        answers = said(line, AMBIGUOUS[name])
    assert b"200" not in answers, answers
    assert answers[:1] in ([b"400"], [b"413"], [b"415"], [b"501"], []), answers


def test_two_requests_that_follow_each_other_honestly_are_two(people: People) -> None:
    """Otherwise the silence above would show nothing."""
    with closing(dial(people)) as line:
        assert said(line, HIDDEN + HIDDEN) == [b"200", b"200"]
    body = POST + PLAIN + b"Content-Length: 2\r\n\r\n{}" + HIDDEN
    with closing(dial(people)) as line:
        assert said(line, body) == [b"400", b"200"]


def test_a_photo_that_stops_halfway_leaves_nothing(people: People, stranger: Person) -> None:
    made = stranger.new_set()
    before = stranger.holdings()["sealed"]
    head = (
        f"PUT /v1/reference-sets/{made}/photos/front HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: image/jpeg\r\nContent-Length: 300000\r\n"
        f"X-Session-Token: {stranger.http.headers['X-Session-Token']}\r\n\r\n"
    )
    for ends in (socket.SHUT_WR, None):
        line = dial(people)
        line.sendall(head.encode() + stranger.views["front"][:20_000])
        if ends is None:
            line.close()
            continue
        line.shutdown(ends)
        assert said(line, b"") in ([b"400"], [])
        line.close()
    time.sleep(0.5)
    assert stranger.holdings()["sealed"] == before
    assert stranger.http.get(f"/v1/reference-sets/{made}").json()["photos"] == []
    # The slot is free for the whole photo.
    assert stranger.put(made, "front", stranger.views["front"]).status_code == 200
    assert stranger.http.delete(f"/v1/reference-sets/{made}").status_code == 202
