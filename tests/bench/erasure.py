"""Erasing an account: how soon nothing opens any more, and how soon that is proved (E-01).

Settings can be loaded once a process, so what is measured runs in a process of its own, beside an
embedded stack whose roles do not run: what upkeep does is done here, without waiting for a nudge.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from tests.bench import report

COUNTS = (1, 100, 1000)
ROUNDS = 5
GONE_WITHIN, PROVED_WITHIN = 0.050, 5.0
FOLDERS = ("ROOT_KEYS", "FLEET_KEYS", "EVIDENCE_KEYS", "RECEIPT_KEYS")


def run() -> None:
    """Start the services, then measure with the login that owns the tables and every key."""
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder:
        stack = Stack(Path(folder), roles=(), preferred_ports=False)
        try:
            stack.start()
            stack.migrate()
            env = {**stack.env(Role.WEB), **stack.env(Role.MIGRATOR)}
            del env["SITTER_ROOT_KEYS"]  # the migrator refuses to start with it
            argv = [sys.executable, "-m", "tests.bench.erasure", folder]
            subprocess.run(argv, env=env, cwd=ROOT, check=True)
        finally:
            stack.stop()


def _born(folder: Path) -> None:
    """Every role's keys, which no process of an installation holds together."""
    from django.conf import settings
    from django.utils import timezone

    from privacy import keys

    for name in FOLDERS:
        setattr(settings, name, folder / name)
        (folder / name).mkdir(mode=0o700)
    now = timezone.now()
    keys.make_root_key(now)
    keys.publish_evidence_key(now.date())
    keys.publish_fleet_keys(now.date())
    keys.publish_receipt_key(now.date())


def measure(folder: Path) -> None:
    """Each count some times: the request, then all the work behind it, up to the receipt."""
    import django

    django.setup()
    from django.utils import timezone

    from privacy import erasure, leases, stages
    from tests.portraits.making import style
    from tests.privacy.crowd import crowded

    _born(folder)
    painted = style()
    gone: dict[int, list[float]] = {count: [] for count in COUNTS}
    proved: dict[int, list[float]] = {count: [] for count in COUNTS}
    for number in range(ROUNDS + 1):
        for count in COUNTS:
            who = crowded(count, painted)
            began = time.perf_counter()
            begun = erasure.request(who, timezone.now())
            unreadable = time.perf_counter() - began
            held = leases.claim(erasure.LEASE, among=[begun.pk])
            assert held is not None
            assert stages.advance(held, timezone.now)
            # The first round loads modules and plans, and opens connections.
            if number:
                gone[count].append(unreadable)
                proved[count].append(time.perf_counter() - began)
    _report(gone, proved)


def _report(gone: dict[int, list[float]], proved: dict[int, list[float]]) -> None:
    print("| objects | access gone p50 | worst | proved with receipt p50 | worst |  (ms)")
    print("|---|---|---|---|---|")
    for count in COUNTS:
        cells = []
        for values in (gone[count], proved[count]):
            cells += [f"{statistics.median(values) * 1e3:.0f}", f"{max(values) * 1e3:.0f}"]
        print(f"| {count} | {' | '.join(cells)} |")
    report.keep("erasure", {"access_gone_seconds": gone, "proved_seconds": proved})
    slowest = max(statistics.median(values) for values in gone.values())
    receipt = max(proved[COUNTS[-1]])
    report.figure(
        "E-01",
        value=f"{receipt:.2f} / {slowest:.3f}",
        unit="s",
        n=ROUNDS,
        holds=slowest <= GONE_WITHIN and receipt <= PROVED_WITHIN,
        how=f"an account of {COUNTS[-1]} objects to its signed receipt, slowest; access gone, the"
        f" slowest median of {COUNTS} objects; the message to upkeep is not waited for",
    )


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
