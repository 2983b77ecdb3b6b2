"""A style tried on a drawn subject who is nobody: painted once a version, served to anybody.

It owns which versions have such a picture. It refuses nothing about people, because none is in it:
no photo, no consent and no account is needed, and the picture belongs to no person.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from portraits.errors import NotPaintedYet, UnknownTrial
from portraits.models import Style, Trial

LIMIT: Final = 200_000
_STATIC: Final = Path(__file__).resolve().parent / "static"


class Picture(NamedTuple):
    """A JPEG and its hash, which changes with the style's version or its painter."""

    data: bytes
    sha256: str


def find(slug: str) -> Picture:
    """The current version's picture. Raises UnknownTrial, NotPaintedYet."""
    style = Style.current().filter(slug=slug).select_related("trial").first()
    if style is None:
        raise UnknownTrial
    found = picture_of(style)
    if found is None:
        raise NotPaintedYet
    return found


def picture_of(style: Style) -> Picture | None:
    """This version's, painted or shipped; a draft's too."""
    if hasattr(style, "trial"):
        return Picture(bytes(style.trial.image), style.trial.sha256)
    shipped = _STATIC / style.preview
    if not style.preview or not shipped.is_file():
        return None
    data = shipped.read_bytes()
    return Picture(data, hashlib.sha256(data).hexdigest())


def missing(engines: Collection[str] | None = None) -> list[Style]:
    """Drafts and current versions that nobody can try, of these engines or of all."""
    rows = Style.objects.filter(retired_at=None, trial__isnull=True)
    if engines is not None:
        rows = rows.filter(engine__in=list(engines))
    return [row for row in rows if picture_of(row) is None]


def tried(style: Style) -> bool:
    """Whether this version has a picture on the drawn subject."""
    return picture_of(style) is not None


def drop(style: Style) -> None:
    """It is not what was painted any more: its picture goes, and what kept it from being painted.

    For drafts alone; what was published does not change.
    """
    Trial.objects.filter(style=style, style__published_at=None).delete()
    Style.objects.filter(pk=style.pk, published_at=None).update(fault="")


def note_fault(style: Style, code: str) -> None:
    """Why a worker could not paint it; empty once one could."""
    Style.objects.filter(pk=style.pk).exclude(fault=code).update(fault=code)


def keep(style: Style, data: bytes, now: datetime) -> bool:
    """Store a version's picture. False: another worker was first."""
    if len(data) > LIMIT:
        raise ValueError("A trial picture is at most 200 kB.")
    _, new = Trial.objects.get_or_create(
        style=style,
        defaults={
            "image": data,
            "sha256": hashlib.sha256(data).hexdigest(),
            "created_at": now,
        },
    )
    return new
