"""Paints what anybody may try: a style on a drawn subject who is nobody, once a style version.

It owns the subject, the order for it and its encoding. It paints when it is asked to and nothing
else waits, and no person's photo, words or account is within its reach.
"""

import io
import threading
import uuid
from pathlib import Path
from typing import Final

import structlog
from django.utils import timezone
from PIL import Image

from portraits import provenance, trials
from portraits.models import Style
from portraits.recipes import Recipe
from workers import images
from workers.atelier import Atelier, Leaving
from workers.engines import base
from workers.outlet import Blocked

log = structlog.get_logger(__name__)

# Drawn by deploy/models/subject.py.
SUBJECT: Final = Path(__file__).resolve().parent / "pictures" / "nobody.jpg"
SEED: Final = 11
SIDE: Final = 384
QUALITIES: Final = (88, 75, 60)


class Trials:
    """What is left to paint, one style at a time."""

    def __init__(self, atelier: Atelier) -> None:
        self._atelier = atelier
        self._asked = threading.Event()
        self._painting = threading.Lock()
        # Style versions that failed since somebody asked; the others get their turn.
        self._failed: set[uuid.UUID] = set()

    def ask(self) -> None:
        """Somebody wants every style of this worker's engines to have its picture."""
        self._failed.clear()
        self._asked.set()

    def paint_one(self) -> bool:
        """Paint one version that has no picture yet. False: none was asked for, or none is left."""
        if not self._asked.is_set() or not self._painting.acquire(blocking=False):
            return False
        try:
            rows = trials.missing(self._atelier.studio.served)
            left = [style for style in rows if style.pk not in self._failed]
            if not left:
                self._asked.clear()
                return False
            self._try(left[0])
            return True
        finally:
            self._painting.release()

    def _try(self, style: Style) -> None:
        try:
            self._paint(style)
        except Leaving:
            self._asked.clear()
        except Exception as error:  # noqa: BLE001 - a picture of nobody must not end a worker
            log.warning("trial_not_painted", engine=style.engine, error=type(error).__name__)
            self._failed.add(style.pk)
            trials.note_fault(style, _code(error))

    def _paint(self, style: Style) -> None:
        """Raises EngineError, Blocked."""
        order = ordered(Recipe.from_json(style.recipe))
        painted = self._atelier.aside(style.engine, order)
        # There was no face of anybody's, so only decency is asked for.
        self._atelier.outlet.release(painted, order, "off")
        if trials.keep(style, encoded(painted), timezone.now()):
            log.info("trial_painted", engine=style.engine)
        trials.note_fault(style, "")


def _code(error: Exception) -> str:
    """For whoever drafted the style: what kind of thing went wrong, in the room there is."""
    said = error.code if isinstance(error, Blocked) else type(error).__name__
    return said[: Style._meta.get_field("fault").max_length]


def ordered(recipe: Recipe) -> base.Order:
    """The drawn subject in this style; a style that takes no photo is tried without one."""
    references: tuple[Image.Image, ...] = ()
    if recipe.references:
        references = (images.open_reference(SUBJECT.read_bytes()),)
    return base.Order(
        task=base.Task.IDENTITY if references else base.Task.TEXT,
        style=recipe.style,
        width=recipe.width,
        height=recipe.height,
        seed=SEED,
        steps=recipe.steps,
        prompt=recipe.prompt,
        references=references,
    )


def encoded(painted: Image.Image) -> bytes:
    """A marked JPEG that fits into its row. Raises Blocked where none does."""
    small = images.bare(painted.convert("RGB"))
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=quality)
        marked = provenance.mark(stream.getvalue())
        if len(marked) <= trials.LIMIT:
            return marked
    raise Blocked("too_large")
