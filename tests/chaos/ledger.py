"""What the ledger and the bucket hold of some people once a storm is over, for the checker."""

import uuid
from typing import Any, Final

from deploy.prove.behind import Behind
from tests.chaos.history import Ledger, Ordered, Painted


def read(behind: Behind, people: list[uuid.UUID]) -> Ledger:
    """See Ledger."""
    jobs = behind.rows(
        "SELECT id, owner_id, encode(key_sha256, 'hex'), state FROM portraits_job"
        " WHERE owner_id = ANY(%s)",
        [people],
    )
    items = behind.rows(
        "SELECT i.job_id, i.id, i.state, i.code, count(p.id) FROM portraits_item i"
        " JOIN portraits_job j ON j.id = i.job_id"
        " LEFT JOIN portraits_portrait p ON p.item_id = i.id"
        " WHERE j.owner_id = ANY(%s) GROUP BY i.id",
        [people],
    )
    of: dict[Any, list[Painted]] = {}
    for job, item, state, code, portraits in items:
        of.setdefault(job, []).append(Painted(str(item), state, int(portraits), code))
    stored = {
        row[0]
        for row in behind.rows(
            "SELECT name FROM privacy_blob WHERE owner_id = ANY(%s) AND state = 'stored'", [people]
        )
    }
    prefixes = behind.rows("SELECT prefix FROM privacy_ownerkey WHERE owner_id = ANY(%s)", [people])
    ours = {row[0] for row in prefixes}
    there = {name for name in behind.names() if name.split("/")[1:2] and name.split("/")[1] in ours}
    return Ledger(
        jobs=tuple(
            Ordered(str(job), str(owner), key or "", state, tuple(of.get(job, ())))
            for job, owner, key, state in jobs
        ),
        orphans=tuple(sorted(there - stored)),
        bodiless=tuple(sorted(stored - there)),
        references=_ids(behind, LEFT, people),
        leases=_ids(behind, LEASES, people),
        miscounted=_ids(behind, MISCOUNTED, people),
    )


# Sets that serve one job and whose job has ended, and photos that no set has.
LEFT: Final = """
    SELECT s.id FROM portraits_referenceset s JOIN portraits_job j ON j.references_id = s.id
    WHERE s.owner_id = ANY(%s) AND NOT s.keep AND j.state NOT IN ('queued', 'running')
    UNION
    SELECT b.id FROM privacy_blob b WHERE b.owner_id = ANY(%s) AND b.state = 'stored'
    AND b.kind IN (1, 2) AND NOT EXISTS (SELECT 1 FROM portraits_photo p
        WHERE p.upload_id = b.id OR p.reference_id = b.id)
"""
LEASES: Final = """
    SELECT l.work_id FROM privacy_lease l WHERE l.owner_id = ANY(%s) AND l.kind = 'item'
    AND NOT EXISTS (SELECT 1 FROM portraits_item i
        WHERE i.id = l.work_id AND i.state IN ('queued', 'running'))
"""
MISCOUNTED: Final = """
    SELECT a.owner_id FROM portraits_allowance a WHERE a.owner_id = ANY(%s)
    GROUP BY a.owner_id, a.period HAVING sum(a.used) <> (SELECT count(*) FROM portraits_item i
        JOIN portraits_job j ON j.id = i.job_id WHERE j.owner_id = a.owner_id AND i.charged)
"""


def _ids(behind: Behind, query: str, people: list[uuid.UUID]) -> tuple[str, ...]:
    values = [people] * query.count("%s")
    return tuple(str(row[0]) for row in behind.rows(query, values))
