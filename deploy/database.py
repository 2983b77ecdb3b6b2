"""How a role talks to PostgreSQL: its address, its pool, and for how long it waits. Pure."""

from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from deploy.env import Role

# Somebody waits for what the web does: a lock that is not had in ten seconds, or a statement of
# twenty, is answered with 503, and a web that stands still gives its locks back. Workers have
# leases for that, and their sweeps may take as long as they need.
SOON: Final = (
    "-c lock_timeout=10s -c statement_timeout=20s -c idle_in_transaction_session_timeout=30s"
)


def settings(url: str, role: Role, pool: int) -> dict[str, Any]:
    """Django's entry for a database."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
        # Under ASGI a persistent connection belongs to a thread that may never come back, so
        # connections are pooled by psycopg instead.
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "connect_timeout": 5,
            "application_name": f"sitter-{role}",
            **({"options": SOON} if role is Role.WEB else {}),
            # What libpq knows besides, such as sslmode=verify-full.
            **dict(parse_qsl(parts.query)),
            "pool": {
                "min_size": 0,
                "max_size": pool,
                "timeout": 10,
                # A connection's buffers keep the last rows that went through them, addresses and
                # all, until it is used again or closed.
                "max_idle": 2.0,
            },
        },
    }
