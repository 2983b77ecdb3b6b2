"""Every way that a job goes, each as the process goes it whose work it is.

A path is walked in a child of falling.py and may end at any act; walked again, by another process,
it must come to the end that it would have come to. What a person does is done again by them, so a
refusal that says "done already" is no fault.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.utils import timezone
from PIL import Image

from portraits import endings, gallery, jobs, painting, references
from portraits.errors import AlreadyEnded, AlreadyRetried
from portraits.models import Photo
from privacy import audit, consent, erasure, leases, sweeps, vault
from privacy.errors import ConsentMissing, OwnerErased
from privacy.plain import Plain
from tests.still import STEPS, StillEngine
from workers.engines import base

LONG_AGO: Final = datetime(2001, 1, 1, tzinfo=UTC)
SIZE = 64


class Easel(StillEngine):
    """An engine for one walk: it paints, or does what the walk is about."""

    def __init__(self, in_the_middle: Callable[[], None] = lambda: None) -> None:
        super().__init__(Path())
        self.in_the_middle = in_the_middle

    def begin(self, order: base.Order, step: int) -> None:
        """Half of the picture is there."""
        if step == STEPS // 2:
            self.in_the_middle()

    def paint(self, order: base.Order) -> Image.Image:
        """Small, so that a walk is short."""
        return Image.new("RGB", (SIZE, SIZE), (90, 120, 200))


def submit(who: str, key: str, style: str, count: int, set_id: str | None = None) -> None:
    wanted = [jobs.Order(style)] * count
    jobs.submit(uuid.UUID(who), set_id and uuid.UUID(set_id), wanted, key, timezone.now())  # type: ignore[arg-type]


def reroll(who: str, key: str, style: str, portrait: str) -> None:
    wanted = [jobs.Order(style, reroll_of=uuid.UUID(portrait))]
    jobs.submit(uuid.UUID(who), None, wanted, key, timezone.now())


def retry(who: str, job: str, item: str) -> None:
    with suppress(AlreadyRetried):
        jobs.retry(uuid.UUID(who), uuid.UUID(job), uuid.UUID(item), timezone.now())


def cancel(who: str, job: str) -> None:
    with suppress(AlreadyEnded):
        jobs.cancel(uuid.UUID(who), uuid.UUID(job), timezone.now())


def paint(engine: str, in_the_middle: Callable[[], None] = lambda: None) -> None:
    from workers import generate

    generate._engines[engine] = Easel(in_the_middle)
    generate.run()


def stumble(engine: str) -> None:
    """The engine fails in a way that may pass: the item is given back."""
    first = True

    def fall() -> None:
        nonlocal first
        if first:
            first = False
            raise base.EngineError

    paint(engine, fall)


def refuse(engine: str) -> None:
    def no() -> None:
        raise base.CannotPaint

    paint(engine, no)


def paint_what_is_stopped(engine: str, who: str, job: str) -> None:
    """Its owner cancels while it is painted, and the engine hears of it at no step."""

    def stop() -> None:
        cancel(who, job)
        # As if the question had come a moment earlier: the commit alone must refuse it.
        painting.wanted = lambda _: True  # type: ignore[assignment]

    paint(engine, stop)


def hand_back(engine: str) -> None:
    """A worker that drains gives back what it has not begun."""
    work = painting.claim((engine,), timezone.now())
    if work is not None:
        painting.hand_back(work.held, begun=False)


def expire(**_: str) -> None:
    endings.expire(LONG_AGO)


def withdraw(who: str) -> None:
    with suppress(ConsentMissing):
        consent.withdraw(
            uuid.UUID(who),
            consent.Purpose.GENERATION,
            "tests/1",
            timezone.now(),
            erase_portraits=True,
        )


def leave(who: str) -> None:
    erasure.request(uuid.UUID(who), timezone.now())


def delete(who: str, portrait: str) -> None:
    gallery.delete(uuid.UUID(who), uuid.UUID(portrait), timezone.now())


def upload(who: str, set_id: str) -> None:
    owner, into, photo = uuid.UUID(who), uuid.UUID(set_id), Plain(b"\xff\xd8 a photo")
    references.add(owner, into, Photo.Slot.FRONT, photo, timezone.now())


def look(photo: str) -> None:
    """The intake's part: take the photo, seal it again, accept it."""
    from workers import intake

    picture = Image.new("RGB", (SIZE, SIZE))

    class Seen:
        quality, face, hint, code = 1.0, None, None, None

    def judge(held: leases.Claim, row: Photo) -> None:
        assert row.upload_id
        vault.read(row.upload_id, timezone.now(), why=audit.Reason.CHECKING)
        intake._accept(held, row, picture, Seen(), references.others(row))  # type: ignore[arg-type]

    intake._check = judge  # type: ignore[assignment]
    intake.run()


def requeue(**_: str) -> None:
    sweeps.requeue()


def reap(**_: str) -> None:
    sweeps.reap()


def away(who: str) -> None:
    """Somebody who was erased meanwhile asks again."""
    with suppress(OwnerErased):
        leave(who)


Walked = Callable[..., Any]
# name → (role, path)
PATHS: Final[dict[str, tuple[str, Walked]]] = {
    "submit": ("web", submit),
    "reroll": ("web", reroll),
    "retry": ("web", retry),
    "cancel": ("web", cancel),
    "withdraw": ("web", withdraw),
    "leave": ("web", away),
    "delete": ("web", delete),
    "upload": ("web", upload),
    "look": ("intake", look),
    "paint": ("gpu", paint),
    "stumble": ("gpu", stumble),
    "refuse": ("gpu", refuse),
    "paint what is stopped": ("gpu", paint_what_is_stopped),
    "hand back": ("gpu", hand_back),
    "expire": ("upkeep", expire),
    "requeue": ("upkeep", requeue),
    "reap": ("upkeep", reap),
}
