"""From the engine to the receipt: each size is signed, and the receipt speaks of this very file."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography import x509

from deploy.stack import certificates
from portraits import gallery, receipts
from portraits.models import Job, Portrait
from tests.images import credentials
from tests.portraits.making import now
from tests.workers.painting import Model, Shop, ordered, state, words_only
from workers import manifest, marking

SIZES = ("full", "preview", "thumb")


@pytest.fixture
def root(tmp_path: Path, settings_of: Any) -> Iterator[x509.Certificate]:
    """This process signs, under a root of its own."""
    certificates.ensure(tmp_path)
    settings_of(C2PA_KEYS=tmp_path)
    marking.signer.cache_clear()
    yield x509.load_pem_x509_certificate((tmp_path / certificates.ROOT).read_bytes())
    marking.signer.cache_clear()


def painted(born: Any, shop: Shop) -> Job:
    wanted = words_only()
    job = ordered(wanted)
    shop.put(wanted.engine, Model())
    born("gpu")
    shop.drain()
    born("web")
    return job


def test_each_size_is_signed_and_the_receipt_knows_the_file(
    born: Any, shop: Shop, root: x509.Certificate
) -> None:
    portrait = Portrait.objects.get(item__job=painted(born, shop))
    for name in SIZES:
        _, plain = gallery.open_own(portrait.owner_id, portrait.pk, name, now())
        said = credentials.read(plain.reveal(), root).assertions[manifest.ENGINE]
        assert said == {"engine": "model", "weights_sha256": "0" * 64}
    born("upkeep")
    receipts.sign(now())
    born("web")
    portrait.refresh_from_db()
    statement = receipts.read(portrait)["statement"]
    _, plain = gallery.open_own(portrait.owner_id, portrait.pk, "full", now())
    assert statement["picture_sha256"] == hashlib.sha256(plain.reveal()).hexdigest()
    assert statement["weights_sha256"] == "0" * 64
    assert (statement["consent_text"], statement["references_destroyed_by"]) == (None, None)


def test_no_id_of_the_person_or_the_portrait_is_in_any_file(
    born: Any, shop: Shop, root: x509.Certificate
) -> None:
    portrait = Portrait.objects.select_related("item").get(item__job=painted(born, shop))
    ids = (portrait.pk, portrait.owner_id, portrait.item_id, portrait.item.job_id)
    for name in SIZES:
        _, plain = gallery.open_own(portrait.owner_id, portrait.pk, name, now())
        data = plain.reveal()
        with c2pa.Reader("image/jpeg", io.BytesIO(data)) as reader:
            said = json.dumps(json.loads(reader.json()))
        for known in ids:
            assert str(known) not in said
            assert str(known).encode() not in data
            assert known.bytes not in data


def test_a_portrait_that_cannot_be_signed_is_not_handed_out(
    born: Any, shop: Shop, root: x509.Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> bytes:
        raise manifest.Unsigned("Signature")

    monkeypatch.setattr(manifest.Signer, "sign", refuse)
    job = painted(born, shop)
    assert state(job)[0] == "queued"
    assert not Portrait.objects.filter(item__job=job).exists()
