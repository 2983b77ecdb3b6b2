"""The whole path of one portrait: fetch and open, paint, encode and mark, seal and store, commit.

Several threads walk it at once and meet at the easel, where one paints while another fetches and a
third stores; nothing but painting is done there. A call carries one person's work. What cannot be
committed is destroyed, and what was taken away is not painted any further.
"""

import gc
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from PIL import Image

from portraits import painting
from portraits.models import Item, Rendition
from privacy import storage, vault
from privacy.errors import BlobGone, OwnerErased, PrivacyError, SealBroken
from privacy.plain import Plain
from privacy.retention import Kind
from workers import commission, manifest, marking
from workers.easel import Easel, Place
from workers.engines import base
from workers.outlet import Blocked, Outlet
from workers.studio import Studio
from workers.vigil import Held, Vigil

log = structlog.get_logger(__name__)

# While the vigil hears nothing, steps ask whether the item is still wanted, but no more often.
ASK_EVERY: Final = 0.05
# A database that did not answer is asked no earlier than this: painting goes on meanwhile.
ASK_AGAIN_AFTER: Final = 5.0
# Who waits to be alone looks this often whether the item is still wanted.
LOOK_EVERY: Final = 0.2
BEGUN, STORING, PAINTED = 5, 92, 85


class Leaving(base.Stopped):
    """The process ends, so another one shall paint it."""


class Atelier:
    """The engines, the easel, the vigil, the way out, and how one item goes through them."""

    def __init__(
        self,
        hung: Callable[[Held], None],
        broken: Callable[[Exception], None],
        outlet: Outlet,
    ) -> None:
        self.studio = Studio()
        self.outlet = outlet
        self.easel = Easel(lambda name: name in self.studio.engines)
        self.vigil = Vigil(lambda: settings.ITEM_LIMIT.total_seconds(), hung)
        # Set once nothing more may begin; and once what paints must stop as well.
        self.closing = threading.Event()
        self.closed = threading.Event()
        self._broken = broken
        self._claiming = threading.Lock()
        # Items between their claim and their end, and whether one of them is painted alone.
        self._inside = 0
        self._alone = False
        self._leaving = threading.Condition()

    def claim(self) -> tuple[painting.Work, Place] | None:
        """The next item, and its place at the easel; one thread after the other."""
        with self._claiming:
            # What would be put off at once, because the bucket is away, is better left waiting.
            if self.closing.is_set() or self._alone or storage.resting():
                return None
            served, loaded = self.studio.served, self.studio.loaded
            work = painting.claim(served, timezone.now(), loaded=loaded)
            if work is None:
                return None
            with self._leaving:
                self._inside += 1
                self._alone = _suspect(work)
            return work, self.easel.line_up(work.engine)

    def aside(self, engine: str, order: base.Order) -> Image.Image:
        """A picture that nobody ordered, in its turn. Raises Leaving, TookTooLong, EngineError."""
        place = self.easel.line_up(engine)
        until = time.monotonic() + settings.ITEM_LIMIT.total_seconds()

        def on_step(done: int, total: int) -> None:
            if self.closing.is_set():
                raise Leaving
            if time.monotonic() > until:
                raise base.TookTooLong

        try:
            with self.easel.turn(place, lambda: on_step(0, 1)):
                self._bring(engine)
                return self.studio.render(engine, order, on_step)
        finally:
            self.easel.leave(place)

    def paint(self, work: painting.Work, place: Place) -> None:
        """One item from its claim to its end, whatever that is."""
        started = time.monotonic()
        held = self.vigil.take(work.held)
        error: Exception | None = None
        try:
            if _suspect(work):
                self._wait_alone(held)
            outcome = self._portrait(work, held, place)
        except Exception as caught:  # noqa: BLE001 - whatever an engine raises ends its item only
            error, outcome = caught, ""
        finally:
            self.easel.leave(place)
            mine = self.vigil.drop(held)
            with self._leaving:
                self._inside -= 1
                self._alone = self._alone and not _suspect(work)
                self._leaving.notify_all()
        if error is not None:
            # Not ours any more: it was given back while it hung here.
            outcome = _end(work, error, begun=held.begun) if mine else "given_back"
        log.info(
            "item_ended",
            item_id=str(work.held.work_id),
            job_id=str(work.job_id),
            engine=work.engine,
            state=outcome,
            seconds=round(time.monotonic() - started, 2),
        )

    def _portrait(self, work: painting.Work, held: Held, place: Place) -> str:
        painted, can = self._released(work, held, place)
        sizes = self._store(work, held, painted, can)
        finished = False
        try:
            weights = can.weights_sha256
            finished = painting.finish(work.held, sizes, timezone.now(), weights_sha256=weights)
        finally:
            # Also when the database fails in mid-commit: nothing may wait for the orphan sweep.
            if not finished:
                vault.discard([size.draft for size in sizes])
        return "done" if finished else "discarded"

    def _released(
        self, work: painting.Work, held: Held, place: Place
    ) -> tuple[Image.Image, base.Capabilities]:
        """A picture that may be stored, at the second seed if not at the first. Raises Blocked.

        What is looked at is not at the easel any more, so another picture is painted meanwhile.
        """
        order = commission.fetch(work)
        self.outlet.admit(order)
        painted, can = self._at_easel(work, held, order, place)
        try:
            self.outlet.release(painted, order, work.recipe.face_gate)
            return painted, can
        except Blocked as blocked:
            seed = painting.reseed(work.held, order.seed)
            if seed is None:
                raise
            log.warning("painted_anew", item_id=str(work.held.work_id), code=blocked.code)
        order = replace(order, seed=seed)
        place = self.easel.line_up(work.engine)
        try:
            painted, can = self._at_easel(work, held, order, place)
        finally:
            self.easel.leave(place)
        self.outlet.release(painted, order, work.recipe.face_gate)
        return painted, can

    def _at_easel(
        self, work: painting.Work, held: Held, order: base.Order, place: Place
    ) -> tuple[Image.Image, base.Capabilities]:
        """The picture, and what painted it; the engine may be gone as soon as the turn ends."""
        # Once for what was taken away before anything could be heard of it.
        _ask(held)
        held.waits = True
        with self.easel.turn(place, lambda: self._check_waiting(held)):
            held.waits = False
            self._bring(work.engine)
            can = self.studio.engines[work.engine].describe()
            return self._render(work, held, order), can

    def _wait_alone(self, held: Held) -> None:
        """Whatever killed its last holder shall take nobody with it this time."""
        held.waits = True
        with self._leaving:
            while self._inside > 1:
                self._check_waiting(held)
                self._leaving.wait(LOOK_EVERY)
        held.waits = False

    def _check_waiting(self, held: Held) -> None:
        if held.lost:
            raise base.Stopped
        if self.closing.is_set():
            raise Leaving

    def _bring(self, name: str) -> None:
        """The engine is in memory behind this; the easel is held."""
        try:
            taken = self.studio.bring(name)
        except Exception as error:
            log.critical("engine_lost", engine=name, error=type(error).__name__)
            if isinstance(error, base.WeightsChanged) or not self.studio.served:
                self._broken(error)
            raise Leaving from error
        if taken is not None:
            painting.affinity.swapped(taken)
            log.info("engine_swapped", engine=name, seconds=round(taken, 2))

    def _render(self, work: painting.Work, held: Held, order: base.Order) -> Image.Image:
        """Paint; once more at a smaller setting where memory was too small."""
        fitted = commission.admitted(order, work, self.studio)
        # What kills this process in its first moment has been tried, and is known to have been.
        self.vigil.begin(held, Item.Phase.PAINTING, BEGUN)
        if held.lost:
            raise base.Stopped
        began = held.began = time.monotonic()
        held.begun = True
        on_step = self._steps(held)
        try:
            try:
                painted = self.studio.render(work.engine, fitted, on_step)
            except base.OutOfMemory:
                less = commission.smaller(fitted, self.studio.engines[work.engine].describe())
                if less is None:
                    raise
                log.warning("painting_smaller", item_id=str(held.claim.work_id))
                gc.collect()
                return self.studio.render(work.engine, less, on_step)
            if fitted is order:
                self.studio.note(work.engine, work.held.cost, time.monotonic() - began)
            return painted
        finally:
            held.began = None

    def _steps(self, held: Held) -> base.Step:
        """The engine's step callback: says how far it is, and stops what is not wanted."""
        limit = settings.ITEM_LIMIT.total_seconds()
        began = time.monotonic()
        ask_at = began

        def on_step(done: int, total: int) -> None:
            nonlocal ask_at
            now = time.monotonic()
            self.vigil.tell(held, Item.Phase.PAINTING, BEGUN + PAINTED * done // max(1, total))
            if self.closed.is_set():
                raise Leaving
            if now - began > limit:
                raise base.TookTooLong
            if not self.vigil.hears and now >= ask_at and not held.lost:
                ask_at = now + (ASK_EVERY if _ask(held) else ASK_AGAIN_AFTER)
            if held.lost:
                raise base.Stopped

        return on_step

    def _store(
        self, work: painting.Work, held: Held, painted: Image.Image, can: base.Capabilities
    ) -> list[painting.Size]:
        """Mark, encode, sign, seal and put each size."""
        self.vigil.tell(held, Item.Phase.STORING, STORING)
        made = marking.all_sizes(painted, work.form, can)
        if held.lost:
            raise base.Stopped
        pieces = [
            (Kind.PORTRAIT if size.name == "full" else Kind.RENDITION, Plain(size.data))
            for size in made
        ]
        told: list[tuple[str, int, int, str, bytes | None]] = []
        for size in made:
            sha256 = hashlib.sha256(size.data).digest()
            told.append((size.name, size.width, size.height, size.media_type, sha256))
        words = commission.kept(work)
        if words is not None:
            # Its owner's copy, which lives and ends with the portrait.
            pieces.append((Kind.RENDITION, words))
            told.append((Rendition.PROMPT, 0, 0, "application/json", None))
        drafts = vault.draft_all(work.held.owner_id, pieces, timezone.now())
        return [
            painting.Size(name, draft, width, height, media_type, sha256)
            for (name, width, height, media_type, sha256), draft in zip(told, drafts, strict=True)
        ]


def _ask(held: Held) -> bool:
    """Note whether it is still wanted. False: the database does not answer."""
    try:
        held.lost = held.lost or not painting.wanted(held.claim)
    except DatabaseError:
        close_old_connections()
        return False
    return True


def _suspect(work: painting.Work) -> bool:
    """It was begun before and not brought to an end: it may be what ended its worker."""
    return work.held.attempts > 1


def _end(work: painting.Work, error: Exception, *, begun: bool) -> str:
    """What becomes of an item that has no portrait; returns a word for the log.

    An item that took too long is not tried again: the same seed at the same size takes as long, and
    others wait.
    """
    held, now = work.held, timezone.now()
    match error:
        case Leaving():
            painting.hand_back(held, begun=begun)
            return "given_back"
        case base.TookTooLong():
            painting.fail(held, "took_too_long", now)
            return "took_too_long"
        case base.Stopped():
            return "stopped"
        case BlobGone() | OwnerErased() | SealBroken():
            painting.fail(held, "references_gone", now)
            return "references_gone"
        case Blocked():
            painting.fail(held, error.code, now, state=Item.State.BLOCKED)
            return "blocked"
        case base.CannotPaint():
            painting.fail(held, "engine_refused", now)
            return "engine_refused"
        case manifest.Unsigned():
            log.error("portrait_not_signed", reason=str(error), item_id=str(held.work_id))
            painting.again(held, "signing_failed", now)
        case base.OutOfMemory():
            painting.fail(held, "out_of_memory", now)
            return "out_of_memory"
        case PrivacyError():
            log.warning("item_postponed", code=error.code, item_id=str(held.work_id))
            painting.again(held, error.code, now, outside=True)
        case DatabaseError():
            log.warning("item_postponed", error=type(error).__name__, item_id=str(held.work_id))
            close_old_connections()
            painting.again(held, "database_down", now, outside=True)
        case _:
            log.warning("item_postponed", error=type(error).__name__, item_id=str(held.work_id))
            painting.again(held, "engine_failed", now)
    return "postponed"
