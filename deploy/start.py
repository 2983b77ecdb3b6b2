"""What the web looks at before its first request: the keys that it holds, one by one."""

import sys
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import DatabaseError, connection
from django.urls import is_valid_path
from django.utils import timezone

from privacy import keys, storage
from privacy.errors import NotReady, PrivacyError

# gunicorn ends on this status; on any other it would start the worker again, for ever.
APP_LOAD_ERROR = 4


def with_keys() -> None:
    """Refuse to start, in one sentence, with a key that is missing, open to others or another."""
    try:
        # A thread of its own, because some servers import the application in their event loop.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_check).result()
    except PrivacyError as error:
        sys.stderr.write(f"{settings.ROLE} cannot start: {error}\n")
        raise SystemExit(APP_LOAD_ERROR) from None


def warm() -> None:
    """Load now what the first requests would load: addresses, views, what boto3 knows of S3.

    They are tens of thousands of objects. Behind `memory.settle` they would be gone through each
    time that a request's leftovers are looked for, and every request of that moment would wait.
    """
    is_valid_path("/livez")
    storage.warm()


def _check() -> None:
    try:
        keys.check_held(timezone.now())
    except DatabaseError as error:
        raise NotReady("PostgreSQL does not answer (SITTER_DATABASE_URL).") from error
    finally:
        connection.close()
