"""An installation that is healthy, and the doctor's eyes as each role."""

from contextlib import nullcontext
from typing import Any

import psycopg

from deploy import grants
from deploy.doctor import rounds
from deploy.doctor.findings import STATUS, Finding
from privacy import bucket, keys, periods
from tests.portraits.making import now
from tests.privacy.alone import acting_as
from tests.privacy.buckets import fresh_bucket

Admin = psycopg.Connection[tuple[Any, ...]]


def settle(born: Any) -> None:
    """Every key is born, the bucket's rules are set, and beat was heard."""
    fresh_bucket(bucket._client()[1])
    bucket.apply()
    born("keeper")
    keys.make_root_key(now())
    keys.publish_evidence_key(now().date())
    born("intake")
    keys.publish_fleet_keys(now().date())
    born("upkeep")
    keys.publish_receipt_key(now().date())
    with periods.turn("upkeep.requeue", int(now().timestamp() // 5), 5) as ours:
        assert ours


def examined(role: str, at: Any = None) -> list[Finding]:
    """What the doctor says with a role's login, in the dress that this process wears."""
    with acting_as(role) if role in grants.TABLES else nullcontext():
        return rounds.examine(at or now())


def wrong(found: list[Finding]) -> dict[str, str]:
    """Name and sentence of whatever is not a note."""
    return {each.name: each.wrong for each in found if STATUS[each.severity]}
