"""The life of a style: drafted from another version, tried on nobody, published, retired.

A version is published only once a worker has painted it on the drawn subject, so that a recipe
which no engine can run is found out before anybody orders it.
"""

import uuid
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from portraits import abilities, painters, trials
from portraits.models import Style
from portraits.recipes import Recipe
from portraits.staff_errors import DraftThere, NotADraft, NotTried
from privacy import audit, dispatch

KEYS: Final = tuple(field.name for field in fields(Recipe))
# Far above what any engine of ours wants; a typo of two noughts would hold a worker for an hour.
MOST_STEPS: Final = 200
_KINDS: Final[dict[str, type]] = {"style": str, "face_gate": str}
_NUMBERS: Final = ("width", "height", "references")


def problems(engine: str, recipe: object, now: datetime) -> dict[str, str]:
    """What keeps any worker from painting this, by field, each in a sentence; empty if nothing."""
    if not _known(engine, now):
        return {
            "engine": "No worker has this engine and none of ours is called so. Check its name, or"
            " start a worker that serves it first."
        }
    found = _shape(recipe)
    if found is None and isinstance(recipe, dict):
        found = _fits(engine, Recipe.from_json(recipe))
    return {"recipe": found} if found else {}


def _known(engine: str, now: datetime) -> bool:
    served = Style.objects.filter(engine=engine, published_at__isnull=False)
    return abilities.known(engine) or engine in painters.alive(now) or served.exists()


def _shape(recipe: object) -> str | None:
    """Whether it is a recipe at all."""
    if not isinstance(recipe, dict):
        return 'A recipe is an object, as {"style": "pencil"}.'
    unknown = sorted(set(recipe) - set(KEYS))
    if unknown:
        return f"A recipe has no {unknown[0]}; it has {', '.join(KEYS)}."
    if not recipe.get("style"):
        return 'A recipe names the engine\'s own style, as in {"style": "pencil"}.'
    for name, kind in _KINDS.items():
        if name in recipe and not isinstance(recipe[name], kind):
            return f"{name} is a text."
    for name in _NUMBERS:
        if name in recipe and (type(recipe[name]) is not int or recipe[name] < 0):
            return f"{name} is a whole number."
    steps = recipe.get("steps")
    if steps is not None and (type(steps) is not int or not 1 <= steps <= MOST_STEPS):
        return f"steps is a whole number from 1 to {MOST_STEPS}, or left out."
    if not isinstance(recipe.get("prompt"), str | None):
        return "prompt is a text, or left out."
    try:
        Recipe.from_json(recipe)
    except ValueError as error:
        return str(error)
    return None


def _fits(engine: str, recipe: Recipe) -> str | None:
    """Whether the engine can do what it asks for, as far as its table says."""
    can = abilities.of(engine)
    if can.sizes and (recipe.width, recipe.height) not in can.sizes:
        sizes = ", ".join(f"{width} x {height}" for width, height in can.sizes)
        return f"{engine} does not paint {recipe.width} x {recipe.height}. It paints {sizes}."
    task = "identity" if recipe.references else "text"
    if task not in can.tasks:
        what = "from photos" if recipe.references else "without photos"
        return f"{engine} does not paint {what}; see `references`."
    if recipe.prompt and not can.words:
        return f"{engine} reads no words, so its recipes have no prompt."
    return None


def draft(style_id: uuid.UUID) -> Style:
    """A new version of this one's style, for somebody to change. Raises DraftThere."""
    with transaction.atomic():
        old = Style.objects.select_for_update().get(pk=style_id)
        versions = Style.objects.filter(slug=old.slug)
        if versions.filter(published_at=None).exists():
            raise DraftThere
        last = versions.aggregate(last=Max("version"))["last"]
        kept: dict[str, Any] = {
            name: getattr(old, name)
            for name in ("slug", "name", "description", "engine", "recipe", "position")
        }
        return Style.objects.create(**kept, version=last + 1, published_at=None)


def try_out(style: Style) -> None:
    """Have a draft painted on the drawn subject; a changed one anew."""
    trials.drop(style)
    dispatch.send("trial", style.pk)


def publish(style_id: uuid.UUID, now: datetime) -> Style:
    """People can order it from now on, and the version before no more.

    What was ordered of that one is painted as it was ordered. Raises NotADraft, NotTried.
    """
    with transaction.atomic():
        style = Style.objects.select_for_update().get(pk=style_id)
        if style.published_at is not None:
            raise NotADraft
        if not trials.tried(style):
            raise NotTried
        Style.current().filter(slug=style.slug).update(retired_at=now)
        Style.objects.filter(pk=style.pk).update(published_at=now)
        audit.record(audit.Verb.STYLE_PUBLISHED, object_id=style.pk, reason=audit.Reason.STAFF)
    style.refresh_from_db()
    return style


def retire(style_id: uuid.UUID, now: datetime) -> bool:
    """Nobody can order it any more; what was ordered is painted. False: nobody could."""
    with transaction.atomic():
        gone = bool(Style.current().filter(pk=style_id).update(retired_at=now))
        if gone:
            audit.record(audit.Verb.STYLE_RETIRED, object_id=style_id, reason=audit.Reason.STAFF)
    return gone


def discard(style_id: uuid.UUID) -> None:
    """Throw a draft away. Raises NotADraft."""
    with transaction.atomic():
        style = Style.objects.select_for_update().get(pk=style_id)
        if style.published_at is not None:
            raise NotADraft
        trials.drop(style)
        style.delete()
