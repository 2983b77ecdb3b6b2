"""The export over HTTP, called in this process."""

import io
import uuid
import zipfile
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from privacy.models import Blob, Export
from privacy.retention import Kind
from tests.portraits.making import now, person, written
from tests.privacy.test_api import caller, code


@pytest.fixture(autouse=True)
def web(born: Any) -> None:
    """Everything here runs as the web."""


def body(answer: Any) -> bytes:
    """What the client receives, piece by piece."""

    async def read() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    received: bytes = async_to_sync(read)()
    return received


@pytest.mark.parametrize("confirmed", [None, 301.0])
def test_it_needs_a_password_that_was_given_just_now(confirmed: float | None) -> None:
    refused = caller(person(), confirmed=confirmed).post("/v1/me/export")
    assert (refused.status_code, code(refused)) == (403, "reauthentication_required")
    assert not Export.objects.filter(owner_id=person()).exists()


def test_it_is_asked_for_looked_at_and_fetched_once() -> None:
    client = caller(person(), confirmed=10)
    begun = client.post("/v1/me/export")
    assert begun.status_code == 202
    assert {"id", "state", "expires_at"} <= set(begun.json())
    address = f"/v1/me/export/{begun.json()['id']}"
    assert client.get(address).json()["state"] == "ready"
    answer = client.get(f"{address}/archive", HTTP_ACCEPT="application/zip")
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "no-store"
    assert zipfile.ZipFile(io.BytesIO(body(answer))).testzip() is None
    again = client.get(f"{address}/archive", HTTP_ACCEPT="application/zip")
    assert (again.status_code, code(again)) == (410, "export_used")
    assert "once" in again.json()["errors"][0]["detail"]
    assert client.get(address).json()["state"] == "fetched"


def test_it_is_refused_until_it_is_ready_and_after_its_end() -> None:
    who = person()
    client = caller(who, confirmed=10)
    client.post("/v1/me/export")
    Export.objects.filter(owner_id=who).update(state="requested")
    address = f"/v1/me/export/{Export.objects.get(owner_id=who).pk}"
    early = client.get(f"{address}/archive")
    assert (early.status_code, code(early)) == (409, "export_not_ready")
    Export.objects.filter(owner_id=who).update(expires_at=now())
    for path in (address, f"{address}/archive"):
        late = client.get(path)
        assert (late.status_code, code(late)) == (410, "export_expired")


def test_somebody_elses_does_not_exist() -> None:
    mine = caller(person(), confirmed=10).post("/v1/me/export").json()["id"]
    stranger = caller(person(), confirmed=10)
    for export_id in (mine, uuid.uuid4()):
        for path in (f"/v1/me/export/{export_id}", f"/v1/me/export/{export_id}/archive"):
            refused = stranger.get(path)
            assert (refused.status_code, code(refused)) == (404, "unknown_export")


def test_a_client_that_hangs_up_leaves_nothing_open() -> None:
    who = person()
    client = caller(who, confirmed=10)
    begun = client.post("/v1/me/export").json()["id"]
    written(Kind.PORTRAIT, who, bytes(100_000))
    asked = Export.objects.get(pk=begun)
    part = written(Kind.EXPORT, who, b"a part")
    asked.parts.create(sort="signature", source_id=uuid.uuid4(), blob=part)
    answer: Any = client.get(f"/v1/me/export/{begun}/archive")

    async def hang_up() -> None:
        stream = answer.streaming_content
        await anext(stream)
        await stream.aclose()

    async_to_sync(hang_up)()
    part.refresh_from_db()
    assert part.state == Blob.State.SHREDDED
