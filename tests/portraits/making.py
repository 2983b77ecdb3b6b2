"""Makes what the tests of the domain start from: a person, a signed consent, photos, a style.

Everything is fresh on each call, so that no test meets what another one left behind.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from portraits import jobs, painting, references
from portraits.models import Item, Job, Photo, ReferenceSet, Style
from privacy import consent, keys, leases, vault
from privacy.models import Blob, Consent, ConsentDocument, Lease
from privacy.plain import Plain
from privacy.retention import Kind

NAME = "Grace Brewster Murray"
JPEG = b"\xff\xd8\xff\xd9"


def now() -> datetime:
    """The clock that tests hand to the domain."""
    return datetime.now(UTC)


def person() -> uuid.UUID:
    """Somebody with an account and nothing else."""
    user = User.objects.create(email=f"{uuid.uuid4().hex}@example.org", password="!", is_adult=True)
    return user.pk


def owner() -> uuid.UUID:
    """Somebody with a key. The process must be dressed as the web."""
    who = person()
    keys.ensure_owner(who, now())
    return who


def consenting() -> uuid.UUID:
    """Somebody who has signed the consent. The process must be dressed as the web."""
    who = person()
    sign(who)
    return who


def text(
    who: uuid.UUID, purpose: str = consent.Purpose.GENERATION, language: str = "en"
) -> ConsentDocument:
    """The text that a person signs for a purpose, as it was just shown to them."""
    document = consent.documents(purpose, language, consent.region_of(who))[0]
    consent.serve(who, [document], now())
    return document


def sign(who: uuid.UUID, purpose: str = consent.Purpose.GENERATION) -> Consent:
    """They read the text and sign it."""
    return consent.grant(who, text(who, purpose).pk, NAME, "tests/1", now())


def written(kind: Kind, who: uuid.UUID, data: bytes, at: datetime | None = None) -> Blob:
    """A committed blob."""
    draft = vault.draft(kind, who, Plain(data), at or now())
    assert vault.commit([draft])
    return Blob.objects.get(pk=draft.blob_id)


def style() -> Style:
    """A style with an engine of its own, so that a claim finds this test's items only."""
    name = f"t{uuid.uuid4().hex[:12]}"
    return Style.objects.create(
        slug=name,
        name=name,
        description="",
        engine=name,
        # The engines of tests paint no face.
        recipe={"style": name, "face_gate": "off"},
    )


def set_with_photo(
    who: uuid.UUID, *, keep_hours: int | None = None, at: datetime | None = None
) -> ReferenceSet:
    """A set whose front photo was accepted."""
    moment = at or now()
    if keep_hours is not None:
        sign(who, consent.Purpose.KEEPING)
    made = references.create(who, keep_hours, moment)
    photo_of(made, who, moment)
    return made


def photo_of(made: ReferenceSet, who: uuid.UUID, moment: datetime, slot: str = "front") -> Photo:
    """An accepted photo in a set, as the intake leaves it."""
    blob = written(Kind.REFERENCE, who, b"a clean photo", moment)
    return Photo.objects.create(
        set=made, slot=slot, state=Photo.State.ACCEPTED, reference=blob, created_at=moment
    )


def submitted(who: uuid.UUID, painted: Style, count: int = 1, **options: Any) -> Job:
    """An open job from a fresh set."""
    made = set_with_photo(who, **options)
    orders = [jobs.Order(painted.slug)] * count
    job, new = jobs.submit(who, made.pk, orders, uuid.uuid4().hex, options.get("at") or now())
    assert new
    return job


def sizes(who: uuid.UUID) -> list[painting.Size]:
    """A finished portrait in two sizes, drafted and not committed."""
    made = []
    for name, kind in (("full", Kind.PORTRAIT), ("thumb", Kind.RENDITION)):
        draft = vault.draft(kind, who, Plain(JPEG + name.encode()), now())
        made.append(painting.Size(name, draft, 8, 8, "image/jpeg"))
    return made


def claimed(painted: Style) -> painting.Work:
    """The next waiting item of a style."""
    work = painting.claim((painted.engine,), now())
    assert work is not None
    return work


def ready(work: painting.Work) -> None:
    """The pause before the next attempt is over."""
    Lease.objects.filter(work_id=work.held.work_id).update(
        ready_at=datetime(2020, 1, 1, tzinfo=UTC)
    )


def item_of(work: painting.Work) -> Item:
    """The item as it is now."""
    return Item.objects.get(pk=work.held.work_id)


def lapse(held: leases.Claim) -> None:
    """The lease runs out, as if its holder had died."""
    Lease.objects.filter(kind=held.kind, work_id=held.work_id).update(
        held_until=datetime(2020, 1, 1, tzinfo=UTC)
    )
