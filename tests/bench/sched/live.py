"""R4 with a real PostgreSQL: people submit, workers claim, sleep instead of painting, and commit.

Run as a program beside an embedded stack, because settings can be loaded once a process.
"""

import json
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.sched.simulation import Asked, one_with_many

FOLDERS = ("ROOT_KEYS", "FLEET_KEYS", "EVIDENCE_KEYS", "RECEIPT_KEYS")
MANY, SINGLES = 200, 20
# How many portraits one job of the busy person asks for: few enough for the lane of single ones.
EACH = 4
WORKERS = 2
SECONDS = 0.1


@dataclass
class Seen:
    """What one run showed; moments are one process's clock."""

    asked: dict[uuid.UUID, tuple[str, float]] = field(default_factory=dict)
    began: dict[uuid.UUID, float] = field(default_factory=dict)
    ended: dict[uuid.UUID, float] = field(default_factory=dict)

    def result(self) -> dict[str, Any]:
        """Waits by person, in service times as they really were, and the throughput."""
        service = sum(self.ended[pk] - self.began[pk] for pk in self.ended) / len(self.ended)
        waits: dict[str, list[float]] = {}
        for pk, (who, at) in self.asked.items():
            waits.setdefault(who, []).append((self.began[pk] - at) / service)
        took = max(self.ended.values()) - min(self.began.values())
        return {"service": service, "waits": waits, "a_second": len(self.ended) / took}


def _born(folder: Path) -> None:
    """Every role's keys, which no process of an installation holds together."""
    from django.conf import settings
    from django.utils import timezone

    from privacy import keys

    for name in FOLDERS:
        setattr(settings, name, folder / name)
        (folder / name).mkdir(mode=0o700)
    for name in ("OPEN_ITEMS", "DAILY_PORTRAITS", "MONTHLY_PORTRAITS"):
        setattr(settings, name, 10 * MANY)
    now = timezone.now()
    keys.make_root_key(now)
    keys.publish_evidence_key(now.date())
    keys.publish_fleet_keys(now.date())
    keys.publish_receipt_key(now.date())


def _submit(
    groups: list[list[Asked]], people: dict[str, uuid.UUID], slug: str, seen: Seen, pace: float
) -> None:
    """Each asks when their time has come; the trace counts in portraits that all workers paint."""
    from portraits import jobs
    from tests.portraits.making import now

    began = time.monotonic()
    for group in groups:
        time.sleep(max(0.0, began + group[0].at * pace - time.monotonic()))
        who = group[0].person
        orders = [jobs.Order(slug)] * len(group)
        job, _ = jobs.submit(people[who], None, orders, uuid.uuid4().hex, now())
        at = time.monotonic()
        seen.asked |= dict.fromkeys(job.items.values_list("pk", flat=True), (who, at))


def _work(engine: str, seen: Seen, total: int) -> None:
    from django.db import connection

    from portraits import painting
    from tests.portraits.making import now, sizes

    try:
        while len(seen.ended) < total:
            work = painting.claim((engine,), now())
            if work is None:
                time.sleep(0.005)
                continue
            seen.began[work.held.work_id] = time.monotonic()
            time.sleep(SECONDS)
            assert painting.finish(work.held, sizes(work.held.owner_id), now())
            seen.ended[work.held.work_id] = time.monotonic()
    finally:
        connection.close()


def once(trace: list[Asked], pace: float, *, fair: bool) -> dict[str, Any]:
    """One run of a trace; without turns, all are equal and the oldest comes first."""
    from portraits import scheduling
    from tests.portraits.making import person, style

    painted = style()
    painted.recipe = {**painted.recipe, "references": 0}
    painted.save()
    people = {name: person() for name in dict.fromkeys(asked.person for asked in trace)}
    crowd = [asked for asked in trace if asked.person == "many"]
    alone = [[asked] for asked in trace if asked.person != "many"]
    seen, lined_up = Seen(), scheduling.line_up
    if not fair:
        scheduling.line_up = lambda _serving, _mine, costs, **_: [0.0] * len(costs)
    try:
        jobs = [crowd[at : at + EACH] for at in range(0, len(crowd), EACH)]
        _submit(jobs, people, painted.slug, seen, 0.0)
        workers = [
            threading.Thread(target=_work, args=(painted.engine, seen, len(trace)))
            for _ in range(WORKERS)
        ]
        for worker in workers:
            worker.start()
        _submit(alone, people, painted.slug, seen, pace)
        for worker in workers:
            worker.join(180)
        return seen.result()
    finally:
        scheduling.line_up = lined_up


def main() -> None:
    """Fair and first in first out, some rounds; one line of JSON at the end."""
    import django

    django.setup()
    _born(Path(sys.argv[1]))
    # How fast this machine is today, and everything warm.
    pace = 1 / once(one_with_many(0, many=40, singles=4), SECONDS, fair=True)["a_second"]
    results: dict[str, list[dict[str, Any]]] = {"fair": [], "fifo": []}
    for seed in range(1, int(sys.argv[2]) + 1):
        trace = one_with_many(seed, many=MANY, singles=SINGLES)
        # Neither always comes first.
        for name in sorted(results, reverse=seed % 2 == 0):
            results[name].append(once(trace, pace, fair=name == "fair"))
    print(json.dumps(results))
