"""Anybody may try a style: no account, no photo, and caches may keep the picture."""

from collections.abc import Iterator

import httpx
import pytest

from deploy.stack.supervisor import Stack
from portraits.provenance import SOURCE_TYPE
from tests import styles
from tests.api.people import People, refused


@pytest.fixture
def anybody(people: People) -> Iterator[httpx.Client]:
    with people.client() as client:
        yield client


def test_every_style_is_a_marked_picture_for_anybody(
    anybody: httpx.Client,
) -> None:
    listed = [row for row in anybody.get("/v1/styles").json() if row["preview"]]
    assert len(listed) >= 9
    for row in listed:
        answer = anybody.get(f"/v1/styles/{row['id']}/trial")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "public, max-age=86400"
        assert SOURCE_TYPE.encode() in answer.content
        assert "set-cookie" not in answer.headers


def test_what_has_not_changed_is_not_sent_again(anybody: httpx.Client) -> None:
    first = anybody.get("/v1/styles/pencil/trial")
    second = anybody.get(
        "/v1/styles/pencil/trial", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["cache-control"].startswith("public")


def test_a_style_that_nobody_has_painted_says_so(live: Stack, anybody: httpx.Client) -> None:
    styles.publish(live, "unpainted", "of-nobody")
    try:
        refused(anybody.get("/v1/styles/unpainted/trial"), 404, "not_painted_yet", "slug")
    finally:
        styles.retire(live, "unpainted")
    refused(anybody.get("/v1/styles/unpainted/trial"), 404, "unknown_style", "slug")
    refused(anybody.get("/v1/styles/no-such-style/trial"), 404, "unknown_style", "slug")
