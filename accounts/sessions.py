"""The session engine: database sessions that know whose they are."""

from datetime import datetime
from typing import Any, Final

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts.staff import session as of_staff

BEGAN: Final = "began"


class SessionStore(DatabaseStore):
    """Named by SESSION_ENGINE; the same store serves allauth's tokens and the admin's cookies."""

    @classmethod
    def get_model_class(cls) -> Any:
        """Our model instead of Django's; imported late because apps may not be loaded yet."""
        from accounts.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row to save, with the owner's id in its own column.

        Every save writes a whole row, so when the session began goes with its data: proving once
        more who one is makes it no younger.
        """
        now = timezone.now()
        began = datetime.fromisoformat(data.setdefault(BEGAN, now.isoformat()))
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.created_at, row.seen_at = began, now
        row.expire_date = min(row.expire_date, type(row).end_of(began, now))
        if end := of_staff.end_of(data, now):
            row.expire_date = min(row.expire_date, end)
        return row
