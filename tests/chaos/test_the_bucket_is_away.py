"""R-07: S3 answers with errors, slowly, or not at all: what a retry can save is saved.

A proxy stands between every role and the bucket. A bucket whose disk is full refuses what is put
into it and still gives what it has, which is one of the ways here.
"""

import threading
import time
from pathlib import Path

from deploy.env import Role
from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.person import record_of, say
from tests.chaos.proxy import Proxy
from tests.chaos.rows import row
from tests.chaos.size import FULL, pick
from tests.chaos.storms import raw, settle, told

SHARE = 0.3
SLOW = pick(2.0, 5.0, 5.0)
DOWN = pick(10.0, 30.0, 60.0)
EACH = pick(4.0, 10.0, 30.0)
JOBS = pick(16, 40, 150)
ROLES = (Role.WEB, Role.INTAKE, Role.UPKEEP)


class Spool:
    """Watches a folder for whatever is written there, as long as it may lie there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = folder, set[str]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.seen |= {file.name for file in self.folder.rglob("*") if file.is_file()}

    def end(self) -> set[str]:
        self._over.set()
        self._thread.join()
        return self.seen


def by_way_of(arena: Arena, proxy: Proxy, spool: Path) -> None:
    """Until the arena is healed, every role that knows the bucket reaches it through the proxy."""
    endpoint = proxy.url(arena.stack.env(Role.WEB)["SITTER_S3_ENDPOINT_URL"])
    extra = {"SITTER_S3_ENDPOINT_URL": endpoint, "TMPDIR": str(spool)}
    arena.with_env(extra, *ROLES)
    arena.painters(*PAINTERS, extra=extra)


def test_what_a_retry_can_save_is_saved(arena: Arena, tmp_path: Path) -> None:
    # SeaweedFS is asked directly by the checker, whatever the proxy does.
    with Proxy.to(arena.stack.env(Role.WEB)["SITTER_S3_ENDPOINT_URL"], seed=7) as proxy:
        by_way_of(arena, proxy, tmp_path)
        spool = Spool(tmp_path)
        crowd = Crowd(arena, 4, seed=7)
        crowd.begin(JOBS, 3 * EACH + DOWN, photos=pick(2, 4, 10), items=(1, 2))
        with proxy.faulty(SHARE):
            time.sleep(EACH)
        with proxy.faulty(1.0, b"PUT"):
            time.sleep(EACH)
        failed = proxy.failed
        with proxy.slow(SLOW):
            time.sleep(EACH)
        asked = proxy.refused
        with proxy.down():
            time.sleep(DOWN)
        asked = proxy.refused - asked
        verdict = settle(arena, crowd, "R-07", failed=failed, refused=asked)
        written = spool.end()
    crowd.close()
    postponed = sum(
        record_of(arena.stack.logs(Role.GPU, index=index)).count("item_postponed")
        for index in PAINTERS
    )
    say(f"{failed} answered with 500, {asked} lines refused in {DOWN:.0f} s, {postponed} postponed")
    good = not verdict.faults and not verdict.failed and not written
    row(
        "R-07",
        value=verdict.failed + len(verdict.lost),
        n=verdict.acknowledged,
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"a proxy before SeaweedFS: {SHARE:.0%} of requests 500 for {EACH:.0f} s, every PUT"
            f" 500 as with a full disk for {EACH:.0f} s, each {SLOW:.0f} s late for {EACH:.0f} s,"
            f" all reset for {DOWN:.0f} s ({asked} tries of all roles meanwhile: the circuit was"
            f" open); {failed} requests failed; {told(verdict)}; files in TMPDIR: {len(written)}"
        ),
        raw={"failed": failed, "refused": asked, "written": sorted(written), **raw(verdict)},
    )
    assert good, f"{told(verdict)}; written {written}"
    assert failed
    # An open circuit asks some times a minute and a role, not once for each piece of work.
    assert asked < 60 + 12 * DOWN
