"""A deleted address leaves PostgreSQL's files when the accounts' tables are rewritten."""

import os
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from accounts.models import User
from deploy.stack.supervisor import Stack
from privacy import compact
from privacy.models import AuditEvent, Erasure
from tests.portraits.making import now

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _as_upkeep(born: Any) -> None:
    born("upkeep")


def erased(at: Any) -> None:
    """Somebody's erasure was proved."""
    Erasure.objects.create(
        id=uuid.uuid4(),
        subject_id=uuid.uuid4(),
        stage=Erasure.Stage.PROVED,
        requested_at=at,
        proved_at=at,
    )


def files_of(stack: Stack, *folders: str) -> Iterator[Path]:
    with psycopg.connect(stack.admin_database_url, autocommit=True) as admin:
        [(cluster,)] = admin.execute("SHOW data_directory").fetchall()
    for folder in folders:
        for place, _, files in os.walk(Path(cluster) / folder):
            yield from (Path(place) / file for file in files)


def holding(stack: Stack, word: str, *folders: str) -> list[str]:
    with psycopg.connect(stack.admin_database_url, autocommit=True) as admin:
        admin.execute("CHECKPOINT")
    found = []
    for path in files_of(stack, *folders):
        try:
            body = path.read_bytes()
        except FileNotFoundError:
            continue
        if word.encode() in body:
            found.append(path.name)
    return found


def test_an_address_is_gone_from_heap_and_wal(stack: Stack) -> None:
    word = f"gone-{uuid.uuid4().hex}"
    user = User.objects.create(email=f"{word}@example.org", password="!")
    assert holding(stack, word, "base")
    User.objects.filter(pk=user.pk).delete()
    assert holding(stack, word, "base"), "Deleting alone leaves it in the page."
    began = time.monotonic()
    assert compact.compact()
    assert holding(stack, word, "base") == []
    with psycopg.connect(stack.admin_database_url, autocommit=True) as admin:
        for _ in range(2):
            admin.execute("SELECT pg_switch_wal()")
            admin.execute("CHECKPOINT")
    assert holding(stack, word, "base", "pg_wal") == []
    assert time.monotonic() - began < 60


def test_an_operator_can_ask_for_it_and_is_told_when_it_must_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = AuditEvent.objects.filter(verb=AuditEvent.Verb.COMPACTED).count()
    call_command("compact")
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.COMPACTED).count() == before + 1
    monkeypatch.setattr(compact, "compact", lambda: False)
    with pytest.raises(CommandError, match="try again"):
        call_command("compact")


def test_it_runs_once_a_period_and_only_after_an_erasure() -> None:
    later = now() + timedelta(days=400)
    compact.compact()
    assert not compact.due(later, DAY)
    erased(now())
    assert not compact.due(now(), DAY)
    assert compact.due(later, DAY)
    compact.compact()
    assert not compact.due(later, DAY)


def test_the_first_time_waits_for_nothing_but_an_erasure(monkeypatch: pytest.MonkeyPatch) -> None:
    erased(now())
    never = AuditEvent.objects.none()
    monkeypatch.setattr(AuditEvent.objects, "filter", lambda **_: never)
    assert compact.due(now(), DAY)


def test_a_table_in_use_is_left_for_the_next_time(stack: Stack) -> None:
    name = connection.settings_dict["NAME"]
    with (
        psycopg.connect(stack.admin_database_url, dbname=name) as other,
        other.transaction(force_rollback=True),
    ):
        table = sql.Identifier(User._meta.db_table)
        other.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(table))
        before = AuditEvent.objects.filter(verb=AuditEvent.Verb.COMPACTED).count()
        assert not compact.compact()
        assert AuditEvent.objects.filter(verb=AuditEvent.Verb.COMPACTED).count() == before
    assert compact.compact()
