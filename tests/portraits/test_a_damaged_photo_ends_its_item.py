"""A photo that does not open any more ends its item: trying again would never mend it."""

import os
from typing import Any

import pytest

from portraits.models import Job, Photo
from privacy.models import Lease
from tests.conftest import s3_client
from tests.portraits.making import consenting, style, submitted
from workers import generate


@pytest.mark.parametrize("body", [b"", b"\x01" + bytes(1100)], ids=["empty", "other bytes"])
def test_it_fails_at_once_and_says_why(
    born: Any, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    painted = style()
    job = submitted(consenting(), painted)
    reference = Photo.objects.get(set=job.references_id).reference
    assert reference is not None
    s3_client().put_object(Bucket=os.environ["SITTER_S3_BUCKET"], Key=reference.name, Body=body)
    monkeypatch.setitem(generate._engines, painted.engine, object())
    born("gpu")
    assert generate.run() == 1
    job.refresh_from_db()
    item = job.items.get()
    assert (job.state, item.state, item.code) == (Job.State.FAILED, "failed", "references_gone")
    assert not Lease.objects.filter(work_id=item.pk).exists()
