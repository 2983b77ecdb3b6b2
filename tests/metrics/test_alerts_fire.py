"""Faults on the running stack, a real Prometheus, and the alerts that it raises.

The pauses of the rules are divided by thirty here; `make bench SUITE=alerts` tries more faults,
with the rules as they are.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.env import Role
from deploy.prove.behind import Behind
from deploy.stack.supervisor import Stack
from tests.chaos.person import say, wait
from tests.metrics.prometheus import MISSING, stopped, watching

pytestmark = pytest.mark.skipif(MISSING, reason="prometheus is not installed")

WANTED = {
    ("SitterNotReady", "bucket"),
    ("SitterNotReady", "fleet_key"),
    ("SitterPastDeadline", ""),
    ("SitterErasureSlow", ""),
    ("SitterNoPainter", "nobody-has-it"),
}


@contextmanager
def left_behind(behind: Behind) -> Iterator[None]:
    """What is there when upkeep has stood still for minutes: rows that should have gone."""
    ids = {name: uuid.uuid4() for name in ("owner", "blob", "erasure", "work")}
    behind.rows(
        "INSERT INTO privacy_ownerkey (owner_id, public, root_epoch, prefix, created_at, fence)"
        " VALUES (%s, '', '', %s, now(), 0) RETURNING 1",
        [ids["owner"], ids["owner"].hex],
    )
    behind.rows(
        "INSERT INTO privacy_blob (id, owner_id, kind, recipient, recipient_label, name, state,"
        " created_at, expires_at) VALUES (%s, %s, 2, 1, '', %s, 'registered',"
        " now() - interval '1 hour', now() - interval '3 minutes') RETURNING 1",
        [ids["blob"], ids["owner"], ids["blob"].hex],
    )
    behind.rows(
        "INSERT INTO privacy_erasure (id, subject_id, scope, stage, prefix, names, counts,"
        " requested_at) VALUES (%s, %s, 'set', 'shredded', '', '[]', '{}',"
        " now() - interval '2 minutes') RETURNING 1",
        [ids["erasure"], ids["owner"]],
    )
    behind.rows(
        "INSERT INTO privacy_lease (kind, work_id, owner_id, queue, lane, turn, cost, token,"
        " attempts, ready_at, nudged_at) VALUES ('item', %s, %s, 'nobody-has-it', 'interactive', 0,"
        " 1, 0, 0, now(), now()) RETURNING 1",
        [ids["work"], ids["owner"]],
    )
    keys = behind.rows("DELETE FROM privacy_fleetkey WHERE label = current_date::text RETURNING *")
    try:
        yield
    finally:
        for label, public, at in keys:
            behind.rows(
                "INSERT INTO privacy_fleetkey (label, public, published_at) VALUES (%s, %s, %s)"
                " ON CONFLICT DO NOTHING RETURNING 1",
                [label, public, at],
            )
        behind.rows("DELETE FROM privacy_lease WHERE work_id = %s RETURNING 1", [ids["work"]])
        behind.rows("DELETE FROM privacy_erasure WHERE id = %s RETURNING 1", [ids["erasure"]])
        behind.rows("DELETE FROM privacy_blob WHERE id = %s RETURNING 1", [ids["blob"]])
        behind.rows("DELETE FROM privacy_ownerkey WHERE owner_id = %s RETURNING 1", [ids["owner"]])


def test_a_real_prometheus_raises_the_alert_of_each_fault(live: Stack, tmp_path: Path) -> None:
    with watching(live.urls.web, tmp_path, factor=30) as prometheus:
        wait("quiet", lambda: not WANTED & prometheus.firing(), seconds=20)
        began = time.monotonic()
        with stopped(live.pid(Role.UPKEEP), live.pid("s3")), left_behind(Behind(live)):
            wait("the alerts", lambda: prometheus.firing() >= WANTED, seconds=30, every=0.3)
        for alert in sorted(WANTED):
            say(f"{alert[0]} {alert[1]}: {prometheus.seen[alert] - began:.0f} s")
        wait("quiet again", lambda: not WANTED & prometheus.firing(), seconds=40, every=0.3)
