"""Getting deleted addresses out of PostgreSQL's own files.

A deleted row stays in its page until the page is rewritten, and plain VACUUM may leave it there for
months. Pictures and words lie sealed elsewhere; what lies here in clear are the accounts' own
tables, so these few are rewritten whole after somebody has been erased.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.apps import apps
from django.db import OperationalError, connection
from psycopg import sql

from privacy import audit
from privacy.models import AuditEvent, Erasure

log = logging.getLogger(__name__)

TABLES: Final = (
    "accounts.User",
    "accounts.Session",
    "account.EmailAddress",
    "account.EmailConfirmation",
)


def due(now: datetime, every: timedelta) -> bool:
    """Whether somebody has been erased since the last time, and that time is long enough ago."""
    last = (
        AuditEvent.objects.filter(verb=audit.Verb.COMPACTED)
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    if last is not None and last > now - every:
        return False
    erased = Erasure.objects.filter(scope=Erasure.Scope.ACCOUNT, stage=Erasure.Stage.PROVED)
    return erased.filter(proved_at__gt=last).exists() if last else erased.exists()


def compact() -> bool:
    """Rewrite the tables. False: one was in use for too long, and the next run tries again.

    Each is locked while it is rewritten, which takes as long as copying its living rows.
    """
    with connection.cursor() as cursor:
        try:
            # Whoever signs in must not wait behind us while we wait behind somebody else.
            cursor.execute("SET lock_timeout = '2s'")
            for label in TABLES:
                table = sql.Identifier(apps.get_model(label)._meta.db_table)
                cursor.execute(sql.SQL("VACUUM (FULL) {}").format(table).as_string(cursor.cursor))
        except OperationalError:
            log.warning("compaction_postponed")
            return False
        finally:
            cursor.execute("RESET lock_timeout")
    audit.record(audit.Verb.COMPACTED, count=len(TABLES))
    return True
