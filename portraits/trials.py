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
    style = Style.objects.filter(slug=slug, retired_at=None).select_related("trial").first()
    if style is None:
        raise UnknownTrial
    if hasattr(style, "trial"):
        return Picture(bytes(style.trial.image), style.trial.sha256)
    shipped = _STATIC / style.preview
    if not style.preview or not shipped.is_file():
        raise NotPaintedYet
    data = shipped.read_bytes()
    return Picture(data, hashlib.sha256(data).hexdigest())


def missing(engines: Collection[str] | None = None) -> list[Style]:
    """Current versions that nobody can try, of these engines or of all."""
    rows = Style.objects.filter(retired_at=None, trial__isnull=True)
    if engines is not None:
        rows = rows.filter(engine__in=list(engines))
    return [row for row in rows if not (row.preview and (_STATIC / row.preview).is_file())]


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
