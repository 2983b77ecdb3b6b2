"""A year of invented lives, with runs that are skipped and a month without any: nothing stays.

The clock is invented and lies in the past, so that the tables' own triggers, which go by
PostgreSQL's clock, see it as over. Pictures are a few bytes; whose they are and when they end is
what counts. FULL=1 takes as many persons as the figure is of.
"""

import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from accounts.models import User
from portraits import endings, references
from portraits.models import Item, Job, Photo, Portrait, ReferenceSet, Rendition, Style
from privacy import bucket, notices, retention, stages, storage, sweeps, terms, vault
from privacy.errors import BlobGone, DeadlineRefused
from privacy.models import (
    Blob,
    Capsule,
    ConsentDocument,
    ConsentServing,
    Erasure,
    Export,
    ExportPart,
    Lease,
    OwnerKey,
    Verdict,
)
from privacy.retention import ACCOUNT_WARNINGS, Kind, Term, term
from tests.conftest import s3_client
from tests.figures import figure
from tests.portraits.making import style
from tests.privacy.alone import alone

FULL = bool(os.environ.get("FULL"))
PERSONS = 200 if FULL else 100
DAY = timedelta(days=1)
START = datetime(2024, 1, 1, 12, tzinfo=UTC)
OUTAGE = range(150, 180)
SKIPPED = 0.15
SEED = 12


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with alone("sitter_year"):
        yield


class World:
    """Persons and what they do on a day."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.client, self.bucket = s3_client(), bucket._client()[1]
        self.style: Style = style()
        self.document = ConsentDocument.objects.order_by("pk")[0]
        self.did: Counter[str] = Counter()
        self.people = [self._person() for _ in range(PERSONS)]
        # An eighth of them never comes back.
        self.active = self.people[PERSONS // 8 :]

    def _person(self) -> uuid.UUID:
        user = User.objects.create(email=f"{uuid.uuid4().hex}@example.org", password="!")
        away = timedelta(days=self.chance.randrange(330), minutes=self.chance.randrange(1440))
        User.objects.filter(pk=user.pk).update(last_seen_at=START - away)
        OwnerKey.objects.create(
            owner_id=user.pk, public=b"p", wrapped=b"w", root_epoch="x", prefix=os.urandom(16).hex()
        )
        return user.pk

    def blob(self, kind: Kind, who: uuid.UUID, at: datetime, end: datetime | None = None) -> Blob:
        prefix = OwnerKey.objects.values_list("prefix", flat=True).get(pk=who)
        made = Blob.objects.create(
            owner_id=who,
            kind=kind,
            recipient=vault.RECIPIENTS[kind],
            name=f"{kind.name.lower()}/{prefix}/{os.urandom(16).hex()}",
            state=Blob.State.STORED,
            length=5,
            sha256=b"x",
            created_at=at,
            expires_at=retention.deadline(kind, at, end),
        )
        Capsule.objects.create(blob=made, enc=b"c")
        self.client.put_object(Bucket=self.bucket, Key=made.name, Body=b"noise")
        return made

    def day(self, at: datetime) -> None:
        """Everybody who still comes does one thing or nothing."""
        living = set(OwnerKey.objects.filter(destroyed_at=None).values_list("pk", flat=True))
        acts = (self.upload, self.photos, self.portrait, self.move, self.export, self.look)
        for who in self.active:
            if who not in living or self.chance.random() > 0.05:
                continue
            moment = at - timedelta(minutes=self.chance.randrange(1440))
            User.objects.filter(pk=who).update(last_seen_at=moment)
            act = self.chance.choice(acts)
            act(who, moment)
            self.did[act.__name__] += 1

    def upload(self, who: uuid.UUID, at: datetime) -> None:
        self.blob(Kind.UPLOAD, who, at)

    def photos(self, who: uuid.UUID, at: datetime) -> ReferenceSet:
        wanted = at + timedelta(hours=self.chance.randrange(1, 400))
        end = retention.deadline(Kind.REFERENCE, at, wanted)
        made = ReferenceSet.objects.create(owner_id=who, keep=True, created_at=at, expires_at=end)
        picture = self.blob(Kind.REFERENCE, who, at, end)
        Photo.objects.create(set=made, slot="front", reference=picture, created_at=at)
        return made

    def portrait(self, who: uuid.UUID, at: datetime) -> None:
        job = Job.objects.create(
            owner_id=who,
            state=Job.State.DONE,
            body_sha256=b"",
            key_sha256=os.urandom(32),
            created_at=at,
            start_by=at,
            ended_at=at,
        )
        item = Item.objects.create(
            job=job, style=self.style, position=0, seed=1, state=Item.State.DONE
        )
        full, thumb = (self.blob(kind, who, at) for kind in (Kind.PORTRAIT, Kind.RENDITION))
        made = Portrait.objects.create(owner_id=who, item=item, blob=full, created_at=at)
        for name, blob in (("full", full), ("thumb", thumb)):
            Rendition.objects.create(
                portrait=made, name=name, blob=blob, width=1, height=1, media_type="image/jpeg"
            )

    def move(self, who: uuid.UUID, at: datetime) -> None:
        own = Portrait.objects.filter(owner_id=who)
        for made in own:
            sizes = Blob.objects.filter(pk__in=made.renditions.values("blob_id"))
            wanted = at + timedelta(days=self.chance.randrange(1, 400))
            try:
                vault.move_deadline(sizes, wanted, at)
            except (BlobGone, DeadlineRefused):
                self.did["refused"] += 1

    def export(self, who: uuid.UUID, at: datetime) -> None:
        made = Export.objects.create(
            owner_id=who, requested_at=at, expires_at=at + term(Term.EXPORT)
        )
        copy = self.blob(Kind.EXPORT, who, at + timedelta(hours=1))
        ExportPart.objects.create(export=made, sort="photo", source_id=uuid.uuid4(), blob=copy)

    def look(self, who: uuid.UUID, at: datetime) -> None:
        ConsentServing.objects.create(subject_id=who, document=self.document, at=at)
        Verdict.objects.create(run_id=uuid.uuid4(), role="web", outcomes={}, at=at)


def run(now: datetime) -> None:
    """What upkeep does, each of its tasks once."""
    sweeps.expire(now)
    references.expire(now)
    endings.expire(now)
    terms.end(now)
    notices.remind_of_portraits(now)
    notices.tend_accounts(now)
    Lease.objects.update(held_until=None, ready_at=START)
    stages.work(lambda: now)


def overdue(now: datetime) -> dict[str, int]:
    """What should be gone and is not, by sort."""
    sets = ReferenceSet.objects.filter(expires_at__lte=now)
    open_erasures = Erasure.objects.exclude(stage=Erasure.Stage.PROVED)
    return {
        "blobs": Blob.objects.filter(expires_at__lte=now).count(),
        "sets": sets.count(),
        "accounts": notices.late(now),
        "erasures": open_erasures.count(),
        **terms.late(now),
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_year_with_skipped_runs_and_an_outage_leaves_nothing_past_its_end(
    born: Any, settings_of: Any
) -> None:
    settings_of(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
    mail.outbox = []
    chance = random.Random(SEED)
    world = World(chance)
    born("upkeep")
    runs, past = 0, 0
    for number in range(1, 366):
        now = START + number * DAY
        world.day(now)
        if number in OUTAGE or chance.random() < SKIPPED:
            continue
        run(now)
        left = {name: count for name, count in overdue(now).items() if count}
        assert not left, f"day {number}"
        past, runs = past + sum(left.values()), runs + 1
    lying = {name for kind in Kind for name in storage.names(f"{kind.name.lower()}/")}
    assert lying == set(Blob.objects.values_list("name", flat=True))
    erased = Erasure.objects.filter(scope="account")
    told = Counter(message.to[0] for message in mail.outbox if "account" in message.subject)
    assert erased.count() > PERSONS // 10
    assert sum(told.values()) >= len(ACCOUNT_WARNINGS) * erased.count()
    assert User.objects.filter(pk__in=erased.values("subject_id")).count() == 0
    assert min(world.did.values()) > 20, world.did
    figure(
        "E-12",
        value=past,
        unit="items",
        n=PERSONS,
        holds=past == 0,
        conditions=(
            f"365 days of {PERSONS} invented lives ({sum(world.did.values())} acts, seed {SEED}), "
            f"{runs} daily runs, {SKIPPED:.0%} skipped, {len(OUTAGE)} days without any, "
            f"{erased.count()} accounts erased for inactivity"
        ),
    )
