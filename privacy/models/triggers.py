"""What PostgreSQL itself refuses, for every login, the migrator's included."""

from datetime import timedelta
from typing import Any

import pgtrigger


def append_only(term: timedelta) -> list[Any]:
    """Rows are never changed, and never deleted before their term, counted from `at`, is over."""
    days = term.days
    return [
        pgtrigger.Protect(name="no_update", operation=pgtrigger.Update),
        pgtrigger.Protect(
            name="no_delete_before_its_term",
            operation=pgtrigger.Delete,
            condition=pgtrigger.Condition(f"OLD.at > now() - interval '{days} days'"),
        ),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'this table is append-only';",
        ),
    ]
