"""What a member of staff does is noted before it is done: who, which act, on which ids; no word.

The log of staff is Django's own table; whoever else keeps a ledger joins `listeners`.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest


@dataclass(frozen=True)
class Act:
    """One act: the permission that it takes is its name."""

    staff_id: uuid.UUID
    permission: str
    object_ids: tuple[str, ...]


listeners: Final[list[Callable[[Act], None]]] = []


def note(request: HttpRequest, permission: str, *, object_ids: Iterable[Any] = ()) -> None:
    """Write it down. `permission`: "<app>.<verb>_<model>"; none of the ids says who somebody is."""
    staff_id: Any = request.user.pk
    act = Act(staff_id, permission, tuple(map(str, object_ids)))
    app, _, codename = permission.partition(".")
    model = codename.partition("_")[2]
    kind = ContentType.objects.filter(app_label=app, model=model).first()
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=staff_id,
            content_type=kind,
            object_id=object_id,
            object_repr=f"{model} {object_id or ''}".strip(),
            action_flag=CHANGE,
            change_message=permission,
        )
        for object_id in act.object_ids or (None,)
    )
    for listen in listeners:
        listen(act)
