"""No byte of a picture leaves the web before its seal is verified, whichever way it would leave."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import s3_client
from tests.figures import figure

if TYPE_CHECKING:
    from portraits.models import Portrait

BITS = 20
MARK = b"\xff\xd8\xff\xd9"


@pytest.fixture
def painted(web: Any) -> Portrait:
    from portraits import painting
    from portraits.models import Portrait
    from tests.portraits.making import claimed, consenting, now, sizes, style, submitted

    who, wanted = consenting(), style()
    submitted(who, wanted)
    assert painting.finish(claimed(wanted).held, sizes(who), now())
    return Portrait.objects.get(owner_id=who)


def flip(name: str, bit: int) -> None:
    """One bit of a stored body turns over, as on a bad disk or by a bad hand."""
    client, bucket = s3_client(), {"Bucket": os.environ["SITTER_S3_BUCKET"], "Key": name}
    body = bytearray(client.get_object(**bucket)["Body"].read())
    body[bit // 8 % len(body)] ^= 1 << bit % 8
    client.put_object(**bucket, Body=bytes(body))


def everything(http: httpx.Client, path: str) -> bytes:
    """What came, also where the line was cut off in the middle."""
    got = b""
    with suppress(httpx.HTTPError), http.stream("GET", path) as answer:
        for piece in answer.iter_raw():
            got += piece
    return got


def test_one_turned_bit_is_an_error_and_no_picture(web: Any, painted: Portrait) -> None:
    from tests.portraits.serving import session

    name, left = painted.renditions.get(name="full").blob.name, 0
    with web.client(session(painted.owner_id)) as http:
        for bit in range(0, BITS * 7, 7):
            flip(name, bit)
            spoilt = http.get(f"/v1/portraits/{painted.pk}/image")
            assert spoilt.status_code == 410
            assert spoilt.json()["errors"][0]["code"] == "seal_broken"
            left += MARK in spoilt.content
            flip(name, bit)
        figure(
            "seal-first",
            value=left,
            unit="pictures",
            n=BITS,
            holds=left == 0,
            conditions="one bit of the stored body turned at a time; link and archive tried, too",
        )
        assert left == 0
        assert http.get(f"/v1/portraits/{painted.pk}/image").content == MARK + b"full"
        flip(name, 0)
        assert http.get(f"/v1/portraits/{painted.pk}/image").status_code == 410
        # Another size has a seal of its own.
        whole = http.get(f"/v1/portraits/{painted.pk}/image", params={"size": "thumb"})
        assert (whole.status_code, whole.content) == (200, MARK + b"thumb")


def test_a_link_and_an_archive_send_no_byte_of_it_either(web: Any, painted: Portrait) -> None:
    from tests.portraits.serving import session

    flip(painted.renditions.get(name="full").blob.name, 5)
    with web.client(session(painted.owner_id)) as http:
        lent = http.post(f"/v1/portraits/{painted.pk}/link", json={"size": "full"})
        assert MARK not in http.get(lent.json()["url"]).content
        assert MARK not in everything(http, f"/v1/jobs/{painted.item.job_id}/archive")


def test_somebody_elses_capsule_opens_nothing(web: Any, painted: Portrait) -> None:
    """A body that was put in the place of another is not taken for it."""
    from portraits import painting
    from portraits.models import Portrait
    from tests.portraits.making import claimed, consenting, now, sizes, style, submitted
    from tests.portraits.serving import session

    who, wanted = consenting(), style()
    submitted(who, wanted)
    assert painting.finish(claimed(wanted).held, sizes(who), now())
    theirs = Portrait.objects.get(owner_id=who).renditions.get(name="full").blob.name
    bucket = os.environ["SITTER_S3_BUCKET"]
    mine = painted.renditions.get(name="full").blob.name
    s3_client().copy_object(Bucket=bucket, Key=mine, CopySource=f"{bucket}/{theirs}")
    with web.client(session(painted.owner_id)) as http:
        assert http.get(f"/v1/portraits/{painted.pk}/image").status_code == 410
        assert http.get(f"/v1/portraits/{uuid.uuid4()}/image").status_code == 404
