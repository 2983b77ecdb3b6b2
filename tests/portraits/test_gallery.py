"""The gallery: finished portraits, for their owner and until their time."""

import uuid
from datetime import datetime, timedelta

import pytest

from portraits import gallery, painters, painting
from portraits.errors import UnknownPortrait
from portraits.models import Portrait
from privacy import sweeps
from privacy.errors import BlobGone, DeadlineRefused
from privacy.models import Blob
from tests.portraits.making import claimed, consenting, now, sizes, style, submitted


def painted_for(who: uuid.UUID) -> Portrait:
    wanted = style()
    submitted(who, wanted)
    assert painting.finish(claimed(wanted).held, sizes(who), now())
    return Portrait.objects.get(owner_id=who)


def ends(portrait: Portrait) -> set[datetime]:
    blobs = Blob.objects.filter(pk__in=portrait.renditions.values("blob_id"))
    return set(blobs.values_list("expires_at", flat=True))


def test_its_owner_opens_every_size() -> None:
    portrait = painted_for(consenting())
    for name in ("full", "thumb"):
        rendition, plain = gallery.open_own(portrait.owner_id, portrait.pk, name, now())
        assert rendition.name == name
        assert plain.reveal().endswith(name.encode())
    with pytest.raises(BlobGone):
        gallery.open_own(portrait.owner_id, portrait.pk, "huge", now())


def test_for_others_it_does_not_exist() -> None:
    who, other = consenting(), consenting()
    portrait = painted_for(who)
    with pytest.raises(UnknownPortrait):
        gallery.open_own(other, portrait.pk, "full", now())
    assert gallery.find(who, portrait.pk, now()) == portrait
    assert gallery.find(other, portrait.pk, now()) is None


def test_moving_the_deadline_moves_every_size() -> None:
    portrait, at = painted_for(consenting()), now()
    for end in (at + timedelta(days=300), at + timedelta(days=1)):
        gallery.move_deadline(portrait, end, at)
        assert ends(portrait) == {end}


def test_past_the_cap_nothing_moves() -> None:
    portrait, at = painted_for(consenting()), now()
    before = ends(portrait)
    with pytest.raises(DeadlineRefused):
        gallery.move_deadline(portrait, at + timedelta(days=366), at)
    assert ends(portrait) == before


def test_deleting_destroys_every_size_at_once() -> None:
    who = consenting()
    portrait = painted_for(who)
    gallery.delete(who, portrait.pk, now())
    assert not Blob.objects.filter(owner_id=who, state=Blob.State.STORED).exists()
    assert not gallery.living(who, now()).exists()


def test_a_portrait_past_its_deadline_is_gone_before_and_after_the_sweep() -> None:
    who = consenting()
    portrait, later = painted_for(who), now() + timedelta(days=31)
    assert not gallery.living(who, later).exists()
    with pytest.raises(UnknownPortrait):
        gallery.open_own(portrait.owner_id, portrait.pk, "full", later)
    sweeps.expire(later)
    assert not Portrait.objects.filter(pk=portrait.pk).exists()


def test_an_engine_is_available_while_its_worker_says_so() -> None:
    name, at = uuid.uuid4().hex, now()
    painters.announce(name, [name], at)
    assert name in painters.alive(at + timedelta(seconds=29))
    assert name not in painters.alive(at + timedelta(seconds=31))
    painters.announce(name, [name], at + timedelta(seconds=30))
    assert name in painters.alive(at + timedelta(seconds=31))
    painters.leave(name)
    assert name not in painters.alive(at + timedelta(seconds=31))
