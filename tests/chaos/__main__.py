"""What `make chaos` runs: every storm at a size that ends soon, or with FULL=1 at the whole one.

    python -m tests.chaos [R-01 R-04 ...]

A whole run may be interrupted: what was measured at full size on the same code is not run again.
The raw histories are in var/chaos, the rows in var/figures/chaos.json.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

from deploy import figures
from tests.chaos import rows

# row → file; the first ones need no role but their own, the others strike a whole stack.
INSIDE: Final = {
    "checker": "test_the_checker_finds_what_is_wrong.py",
    "proxy": "test_the_proxy_misbehaves_as_asked.py",
    "R-05": "test_killed_between_two_steps.py",
    "R-04": "test_stopped_past_its_lease.py",
}
OUTSIDE: Final = {
    "R-03": "test_a_job_longer_than_the_visibility_timeout.py",
    "R-11": "test_stopped_at_any_step.py",
    "R-08": "test_a_poison_job.py",
    "R-13": "test_asked_to_end_under_load.py",
    "R-02": "test_the_broker_forgets_everything.py",
    "R-10": "test_a_broker_that_resets.py",
    "R-06": "test_the_database_is_killed.py",
    "R-07": "test_the_bucket_is_away.py",
    "clocks": "test_clocks_that_jump.py",
    "R-01": "test_killed_again_and_again.py",
}


def main(names: Sequence[str]) -> int:
    """1 if a storm found something."""
    size = "full" if os.environ.get("FULL") else "usual"
    unknown = set(names) - {*INSIDE, *OUTSIDE}
    if unknown:
        _say(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join([*INSIDE, *OUTSIDE])}.")
        return 2
    os.environ["SITTER_CHAOS"] = size
    began, failed = time.monotonic(), False
    for half in (INSIDE, OUTSIDE):
        wanted = [name for name in half if not names or name in names]
        todo = [name for name in wanted if size != "full" or not _measured(name)]
        for name in sorted(set(wanted) - set(todo)):
            _say(f"{name}: measured at full size on this code; not run again.")
        if todo:
            files = [f"tests/chaos/{half[name]}" for name in todo]
            # A whole storm may take longer than any test of `make test`.
            options = ("-q", "-s", "--durations=0", "--timeout=3600")
            command = [sys.executable, "-m", "pytest", *options, *files]
            failed |= bool(subprocess.run(command, check=False).returncode)
    file = figures.FOLDER / "chaos.json"
    found = json.loads(file.read_text()) if file.exists() else []
    _say(figures.table(found))
    for line in found:
        _say(f"{line['id']}: {line['conditions']}")
    _say(f"{size} size, {(time.monotonic() - began) / 60:.0f} minutes; raw: {rows.FOLDER}")
    return int(failed)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _measured(name: str) -> bool:
    """Whether this code has been through the whole storm."""
    if name not in figures.KNOWN:
        return False
    file = rows.FOLDER / f"{name}.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    return bool(found.get("full") and found.get("holds") and found.get("build") == rows.build())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
