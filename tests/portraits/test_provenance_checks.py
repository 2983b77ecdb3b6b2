""" "Was this made here?" The answer is right, the picture is destroyed, and nothing outlives it."""

import io
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from PIL import Image

from portraits import checks
from portraits.errors import EmptyUpload, TooManyChecks, UnknownCheck, UploadTooLarge
from portraits.models import Check
from privacy import keys, retention, storage
from privacy.crypto import Recipient
from privacy.models import Blob, Lease
from privacy.plain import Plain
from privacy.retention import Kind
from tests.images import clean
from tests.portraits.making import now
from workers import looking, watermark
from workers.sandbox import Decoder


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    made = Decoder(strict=False)
    made.start()
    yield made
    made.close()


def jpeg(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def marked() -> bytes:
    return jpeg(watermark.embed(clean.picture(0, (512, 640)), settings.WATERMARK_KEY))


def asked(born: Any, decoder: Decoder, data: bytes) -> Check:
    check = checks.hand_in(Plain(data), now())
    born("intake")
    looking.run(decoder)
    born("web")
    return checks.find(check.pk, now())


def test_our_own_is_known_and_another_is_not(born: Any, decoder: Decoder) -> None:
    ours = asked(born, decoder, marked())
    other = asked(born, decoder, jpeg(clean.picture(0, (512, 640))))
    assert (ours.state, ours.made_here) == (Check.State.ANSWERED, True)
    assert (other.state, other.made_here) == (Check.State.ANSWERED, False)


def test_what_is_no_picture_is_refused_with_a_code(born: Any, decoder: Decoder) -> None:
    check = asked(born, decoder, b"not a picture at all")
    assert (check.state, check.code, check.made_here) == ("refused", "not_an_image", None)


def test_it_is_sealed_to_the_fleet_and_belongs_to_nobody() -> None:
    at = now()
    check = checks.hand_in(Plain(marked()), at)
    blob = Blob.objects.get(pk=str(check.blob_id))
    assert (blob.kind, blob.recipient) == (Kind.CHECK, Recipient.FLEET)
    assert blob.owner_id == keys.SYSTEM_OWNER
    assert blob.expires_at == check.expires_at == at + timedelta(minutes=2)
    assert check.pk.version == 4


def test_the_picture_is_destroyed_with_the_answer(born: Any, decoder: Decoder) -> None:
    check = checks.hand_in(Plain(marked()), now())
    name = Blob.objects.get(pk=str(check.blob_id)).name
    assert storage.get(name)
    born("intake")
    looking.run(decoder)
    assert not Blob.objects.filter(name=name, state=Blob.State.STORED).exists()
    assert not Blob.objects.filter(name=name, capsule__isnull=False).exists()


def test_nothing_is_kept_after_two_minutes(born: Any, decoder: Decoder) -> None:
    answered = asked(born, decoder, marked())
    waiting = checks.hand_in(Plain(marked()), now())
    later = now() + retention.DEADLINES[Kind.CHECK].cap
    with pytest.raises(UnknownCheck):
        checks.find(answered.pk, later)
    born("upkeep")
    assert checks.expire(later) >= 2
    assert not Check.objects.filter(pk__in=[answered.pk, waiting.pk]).exists()
    assert not Lease.objects.filter(work_id=waiting.pk).exists()


def test_what_is_empty_or_too_large_is_never_stored() -> None:
    before = Blob.objects.filter(kind=Kind.CHECK).count()
    with pytest.raises(EmptyUpload):
        checks.hand_in(Plain(b""), now())
    with pytest.raises(UploadTooLarge):
        checks.hand_in(Plain(bytes(settings.UPLOAD_MAX_BYTES + 1)), now())
    assert Blob.objects.filter(kind=Kind.CHECK).count() == before


def test_one_address_may_ask_so_often() -> None:
    address, at = f"2001:db8::{uuid.uuid4().hex[:4]}", now() + timedelta(days=9000)
    for _ in range(checks.PER_ADDRESS):
        checks.admit(address, at)
    with pytest.raises(TooManyChecks) as refused:
        checks.admit(address, at)
    assert 0 < (refused.value.retry_after or 0) <= checks.WINDOW.total_seconds()


def test_an_unknown_id_is_not_found() -> None:
    with pytest.raises(UnknownCheck):
        checks.find(uuid.uuid4(), now())
