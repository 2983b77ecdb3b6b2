"""The session engine: database sessions that know whose they are."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    """Named by SESSION_ENGINE; the same store serves allauth's tokens and the admin's cookies."""

    @classmethod
    def get_model_class(cls) -> Any:
        """Our model instead of Django's; imported late because apps may not be loaded yet."""
        from accounts.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row to save, with the owner's id in its own column."""
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        return row
