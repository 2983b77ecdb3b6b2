"""PostgreSQL: its version, what it may lose, what it may write into its own log, and its clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from deploy.doctor.findings import Finding, error, named, warning

OLDEST: Final = 170_000
# Two beats may be ten seconds apart from PostgreSQL (privacy/periods.py); half of it is a warning.
CLOCK_WARNING, CLOCK_ERROR = timedelta(seconds=5), timedelta(seconds=10)
CROWDED: Final = 0.8
HERE: Final = ("localhost", "127.", "::1", "/")


@dataclass(frozen=True)
class Rule:
    """What a setting must be, and what happens otherwise."""

    good: frozenset[str]
    loses: bool
    otherwise: str


DURABLE: Final = frozenset({"on"})
RULES: Final[Mapping[str, Rule]] = {
    "fsync": Rule(DURABLE, True, "a power cut leaves a broken database"),
    "full_page_writes": Rule(DURABLE, True, "a power cut leaves broken pages"),
    "synchronous_commit": Rule(
        frozenset({"on", "local", "remote_write", "remote_apply"}),
        True,
        "an erasure that was confirmed can come back after a crash",
    ),
    "log_statement": Rule(frozenset({"none"}), False, "statements reach its log"),
    "log_min_duration_statement": Rule(frozenset({"-1"}), False, "slow statements reach its log"),
    "log_min_error_statement": Rule(
        frozenset({"panic", "fatal", "log"}), False, "a failed statement's text reaches its log"
    ),
    "log_error_verbosity": Rule(
        frozenset({"terse"}), False, "the rows that an error is about reach its log"
    ),
    "log_parameter_max_length_on_error": Rule(
        frozenset({"0"}), False, "the values of a failed statement reach its log"
    ),
}


def look(now: datetime) -> Iterator[Finding]:
    """The server as this login sees it."""
    with connection.cursor() as cursor:
        names = ["server_version_num", "max_connections", *RULES]
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [names])
        found: dict[str, str] = dict(cursor.fetchall())
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        connected = int(cursor.fetchone()[0])
        cursor.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        row = cursor.fetchone()
    yield from judge(found)
    if connected > CROWDED * int(found["max_connections"]):
        yield warning(
            "database.connections",
            f"{connected} of {found['max_connections']} connections of PostgreSQL are taken.",
            "Raise max_connections, lower SITTER_DATABASE_POOL, or put a pooler before it.",
        )
    if not (row and row[0]) and _is_remote(settings.DATABASES["default"]["HOST"]):
        say = error if settings.PRODUCTION else warning
        yield say(
            "database.tls",
            "PostgreSQL is on another machine and is spoken to in clear.",
            "Add ?sslmode=verify-full&sslrootcert=… to SITTER_DATABASE_URL.",
        )


def _is_remote(host: str) -> bool:
    return bool(host) and not host.startswith(HERE)


def judge(found: Mapping[str, str]) -> Iterator[Finding]:
    """What these settings of a server mean."""
    if int(found["server_version_num"]) < OLDEST:
        yield error(
            "database.version",
            f"PostgreSQL {int(found['server_version_num']) // 10_000} is too old.",
            "Upgrade to 17 or newer.",
        )
    for name, rule in RULES.items():
        if name not in found or found[name] in rule.good:
            continue
        say = error if rule.loses else warning
        yield say(
            f"database.{name}",
            f"PostgreSQL's {name} is {found[name]}, so that {rule.otherwise}.",
            f"Set it to {min(rule.good)} in postgresql.conf or by ALTER SYSTEM.",
        )


def clock(now: datetime) -> Iterator[Finding]:
    """This machine's clock against the one that leases and deadlines run on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # a first connection may take a while
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    yield from apart("database", "PostgreSQL", before, theirs)


def apart(where: str, who: str, before: datetime, theirs: datetime) -> Iterator[Finding]:
    """A clock that was asked between a moment of ours and now, however long the answer took."""
    difference = max(before - theirs, theirs - timezone.now())
    if difference > CLOCK_WARNING:
        say = error if difference > CLOCK_ERROR else warning
        yield say(
            f"clock.{where}",
            f"This machine's clock and {who}'s are {difference.total_seconds():.0f} s apart.",
            "Let both keep time by NTP; leases, deadlines and signatures go by it.",
        )


def migrations(now: datetime) -> Iterator[Finding]:
    """Whether the tables are those of this code."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        yield error(
            "database.migrations",
            f"{named(f'{m.app_label}.{m.name}' for m, _ in plan)} is not applied.",
            "Run `manage.py migrate` and `manage.py grants` as the migrator.",
        )
