"""Who on staff may do what at the desk, and that it is noted before it is done."""

import uuid
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.staff import acts

# look at a request, note one that came by mail, work on it, open what was written, end it
VERBS: Final = ("view", "note", "handle", "open", "finish")


def permission(verb: str) -> str:
    """As the role table has it (deploy/staff/roles.py)."""
    return f"privacy.{verb}_case"


def may(request: HttpRequest, verb: str) -> bool:
    """Whether whoever asks has the permission."""
    return request.user.has_perm(permission(verb))


def need(request: HttpRequest, verb: str) -> uuid.UUID:
    """The officer's id. Raises PermissionDenied."""
    officer_id = request.user.pk
    if officer_id is None or not may(request, verb):
        raise PermissionDenied
    return officer_id


def noted(request: HttpRequest, verb: str, *cases: uuid.UUID) -> None:
    """Keep who did it, by ids."""
    acts.note(request, permission(verb), object_ids=cases)
