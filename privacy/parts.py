"""What the scopes of an erasure below the account mean, told by the rooms that know.

Filled by the apps above, in their AppConfig, because this room does not know what a portrait is.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from privacy.models import Blob, Erasure

Scope = Erasure.Scope


@dataclass(frozen=True)
class Part:
    """One scope: which blobs it holds, what must halt, which rows go. All take owner and target,
    which are the same person where everything is meant.

    `halt` runs in the request's transaction, which holds the owner's row alone: it refuses what is
    not there or is in use, takes work away from whoever does it, and hides what the person sees.
    `rows` is asked again for the proof, long after `halt`: what it finds then must go.
    """

    blobs: Callable[[uuid.UUID, uuid.UUID], QuerySet[Blob]]
    halt: Callable[[uuid.UUID, uuid.UUID, datetime], None]
    rows: Callable[[uuid.UUID, uuid.UUID], Sequence[QuerySet[Any]]]


parts: dict[Scope, Part] = {}
