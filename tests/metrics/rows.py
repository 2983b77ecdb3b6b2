"""A database with something of everything in it, so that each metric has something to tell."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection

from portraits import painters
from portraits.models import Event
from privacy import periods, sweeps
from privacy.models import Case, Erasure, FaceClaim, Period, TransparencyReport
from tests.portraits import making
from tests.portraits.making import now


@contextmanager
def something_of_everything() -> Iterator[None]:
    """Rows without which a metric would have nothing to say; gone behind the test."""
    who = making.person()
    at = now()
    event = Event.objects.create(
        type=Event.Type.JOB_ENDED, owner_id=who, object_id=uuid.uuid4(), created_at=at
    )
    erasure = Erasure.objects.create(
        id=uuid.uuid4(),
        subject_id=uuid.uuid4(),
        scope=Erasure.Scope.SET,
        requested_at=at - timedelta(minutes=2),
    )
    claim = FaceClaim.objects.create(
        language="en",
        capsule=b"",
        body=b"",
        received_at=at - timedelta(hours=5),
        due_at=at + timedelta(hours=43),
        expires_at=at + timedelta(days=1),
    )
    case = Case.objects.create(
        kind=Case.Kind.ACCESS,
        source=Case.Source.API,
        language="en",
        received_at=at - timedelta(hours=7),
        first_due_at=at + timedelta(hours=41),
        due_at=at + timedelta(days=29),
    )
    checks = [{"name": "inventory", "holds": True}, {"name": "facts", "holds": False}]
    report = TransparencyReport.objects.create(
        day=(at + timedelta(days=900)).date(), statement={"checks": checks}, at=at, key_label="k"
    )
    Period.objects.update_or_create(name="expire", defaults={"ran_at": at})
    periods.note(sweeps.BACKLOG, {"past_deadline": 0, "sessions_past_term": 3}, at)
    done(making.style().engine)
    yield
    for row in (event, erasure, claim, case, report):
        row.delete()
    Period.objects.all().delete()


def done(engine: str, *, code: str = "", state: str = "done") -> uuid.UUID:
    """A portrait that has just ended, painted by this engine in two seconds after a wait of ten."""
    style = making.style()
    at = now()
    ids = (uuid.uuid4(), uuid.uuid4())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portraits_job (id, owner_id, state, lane, sequence, body_sha256,"
            " created_at, start_by) VALUES (%s, %s, 'done', 'interactive', 0, '', %s, %s)",
            [ids[0], making.person(), at - timedelta(seconds=12), at],
        )
        cursor.execute(
            "INSERT INTO portraits_item (id, job_id, style_id, position, seed, task, engine, rich,"
            " state, phase, percent, code, sequence, charged, retried, reseeded, format,"
            " started_at, ended_at) VALUES (%s, %s, %s, 0, 1, 'identity', %s, false, %s, 'ended',"
            " 100, %s, 0, false, false, false, '', %s, %s)",
            [ids[1], ids[0], style.pk, engine, state, code, at - timedelta(seconds=2), at],
        )
    return ids[1]


def paints(engine: str, rate: float) -> None:
    """A worker says that it has the engine."""
    painters.announce(f"w-{engine}", [engine], now(), rates={engine: rate})
