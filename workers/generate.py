"""The whole path of one portrait: claim, open, paint, mark, seal, commit.

Three threads run this at once and share one render lock, so that while one paints, another fetches
and a third stores. A call carries one person's work. What cannot be committed is destroyed.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from PIL import Image

from portraits import painters, painting, provenance
from portraits.models import Item
from privacy import audit, leases, memory, vault
from privacy.errors import BlobGone, OwnerErased, PrivacyError, SealBroken
from privacy.plain import Plain
from privacy.retention import Kind
from workers import images
from workers.engines import base

log = structlog.get_logger(__name__)
HOLDER = f"{socket.gethostname()}:{os.getpid()}"
# The database hears of progress this often at most.
PROGRESS_EVERY = 0.25

_engines: dict[str, base.Engine] = {}
# What each engine's parameters were when it was loaded.
_prints: dict[str, str] = {}
_render = threading.Lock()
_leaving = threading.Event()


def start() -> None:
    """Load every engine that this worker was told to serve, and say so."""
    for name in settings.ENGINES:
        engine = base.create(name, settings.WEIGHTS / name)
        engine.load()
        _engines[name] = engine
        _prints[name] = engine.fingerprint()
        log.info("engine_loaded", engine=name)
    threading.Thread(target=_announce, name="announce", daemon=True).start()


def stop() -> None:
    """Show that nothing was learnt, say goodbye, let the engines go. Raises WeightsChanged."""
    _leaving.set()
    changed = [name for name in _engines if not _unchanged(name)]
    try:
        painters.leave(HOLDER)
    finally:
        for engine in _engines.values():
            engine.unload()
    if changed:
        raise base.WeightsChanged(f"The weights of {', '.join(changed)} have changed in memory.")


def _unchanged(name: str) -> bool:
    """Whether an engine's parameters are those that were loaded, and could not have learnt."""
    try:
        same = _engines[name].fingerprint() == _prints[name]
    except base.CouldLearn:
        same = False
    if same:
        log.info("weights_unchanged", engine=name)
    else:
        log.critical("weights_changed", engine=name)
    return same


def run() -> int:
    """Paint until nothing waits; returns how many items were taken."""
    done = 0
    while work := painting.claim(tuple(_engines), timezone.now()):
        _paint_one(work)
        memory.forget()
        done += 1
    return done


def _paint_one(work: painting.Work) -> None:
    started = time.monotonic()
    try:
        with leases.heartbeat(work.held):
            outcome = _portrait(work)
    except base.Stopped:
        outcome = "stopped"
    except (BlobGone, OwnerErased, SealBroken):
        painting.fail(work.held, "references_gone", timezone.now())
        outcome = "references_gone"
    except base.CannotPaint:
        painting.fail(work.held, "engine_refused", timezone.now())
        outcome = "engine_refused"
    except PrivacyError as error:
        log.warning("item_postponed", code=error.code, item_id=str(work.held.work_id))
        painting.again(work.held, error.code, timezone.now(), outside=True)
        outcome = "postponed"
    except (base.EngineError, MemoryError, RuntimeError, ValueError, OSError) as error:
        log.warning("item_postponed", error=type(error).__name__, item_id=str(work.held.work_id))
        painting.again(work.held, "engine_failed", timezone.now())
        outcome = "postponed"
    log.info(
        "item_ended",
        item_id=str(work.held.work_id),
        engine=work.engine,
        state=outcome,
        seconds=round(time.monotonic() - started, 2),
    )


def _portrait(work: painting.Work) -> str:
    """One item from its references to its commit; raises what stops it."""
    pictures, focus = _fetch(work)
    order = base.Order(
        task=base.Task.IDENTITY if work.recipe.references else base.Task.TEXT,
        style=work.recipe.style,
        width=work.recipe.width,
        height=work.recipe.height,
        seed=work.seed,
        steps=work.recipe.steps,
        prompt=work.recipe.prompt,
        references=pictures,
        focus=focus,
    )
    with _rendering(work):
        painted = _engines[work.engine].render(order, _progress(work.held))
    sizes = _store(work, painted)
    finished = False
    try:
        finished = painting.finish(work.held, sizes, timezone.now())
    finally:
        # Also when the database fails in mid-commit: nothing may wait for the orphan sweep.
        if not finished:
            vault.discard([size.draft for size in sizes])
    return "done" if finished else "discarded"


def _fetch(
    work: painting.Work,
) -> tuple[tuple[Image.Image, ...], tuple[base.Focus | None, ...]]:
    pictures: list[Image.Image] = []
    focus: list[base.Focus | None] = []
    for photo in work.photos:
        if photo.reference_id is None:
            raise BlobGone
        plain = vault.read(photo.reference_id, timezone.now(), why=audit.Reason.PAINTING)
        pictures.append(images.open_reference(plain.reveal()))
        focus.append(_corners(photo.face) if photo.face else None)
    if not pictures and work.recipe.references:
        raise BlobGone
    return tuple(pictures), tuple(focus)


def _corners(face: list[float]) -> base.Focus:
    """The gate says left, top, width, height; an engine wants left, top, right, bottom."""
    left, top, width, height = face
    return left, top, left + width, top + height


@contextmanager
def _rendering(work: painting.Work) -> Iterator[None]:
    """Wait for the engine, and leave the queue if the item was taken away meanwhile."""
    while not _render.acquire(timeout=1):
        if not leases.renew(work.held):
            raise base.Stopped
    try:
        if not painting.progress(work.held, Item.Phase.PAINTING, 5):
            raise base.Stopped
        yield
    finally:
        _render.release()


def _progress(held: leases.Claim) -> base.Step:
    """The engine's step callback: tells the database, and stops what is no longer ours."""
    last = 0.0

    def on_step(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last < PROGRESS_EVERY and done < total:
            return
        last = time.monotonic()
        if not painting.progress(held, Item.Phase.PAINTING, 5 + 85 * done // max(1, total)):
            raise base.Stopped

    return on_step


def _store(work: painting.Work, painted: Image.Image) -> list[painting.Size]:
    """Encode, mark, seal and put each size."""
    if not painting.progress(work.held, Item.Phase.STORING, 92):
        raise base.Stopped
    sizes: list[painting.Size] = []
    now = timezone.now()
    try:
        for rendition in images.renditions(painted):
            kind = Kind.PORTRAIT if rendition.name == "full" else Kind.RENDITION
            marked = Plain(provenance.mark(rendition.data))
            draft = vault.draft(kind, work.held.owner_id, marked, now)
            sizes.append(
                painting.Size(
                    rendition.name, draft, rendition.width, rendition.height, "image/jpeg"
                )
            )
    except Exception:
        vault.discard([size.draft for size in sizes])
        raise
    return sizes


def _announce() -> None:
    while not _leaving.is_set():
        try:
            painters.announce(HOLDER, _engines, timezone.now())
        except Exception as error:  # noqa: BLE001 - the database is away; the next round tells
            log.warning("announce_failed", error=type(error).__name__)
        finally:
            close_old_connections()
        _leaving.wait(painters.ANNOUNCE_EVERY.total_seconds())
