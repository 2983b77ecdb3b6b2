"""`make bench`, or `make bench SUITE=crypto`: run suites, print tables, keep the raw numbers.

Without a name those run that are about jobs and sealing, at sizes that end within half an hour on
two cores; `SUITE=all` is everything, and FULL=1 the larger sizes.
"""

import sys
import time
from argparse import ArgumentParser
from functools import partial

from tests.bench import (
    alerts,
    api,
    capacity,
    crypto,
    delivery,
    erasure,
    gpu,
    keys,
    peers,
    pocket,
    queue,
    recovery,
    restore,
    retention,
    sched,
    stack,
    walkthrough,
    worker,
)
from tests.bench.report import conditions, said

# The stack comes first: torch, once it is loaded here, competes with it for the cores.
SUITES = {
    "stack": stack.run,
    "erasure": erasure.run,
    "alerts": alerts.run,
    "crypto": crypto.run,
    "keys": keys.run,
    "restore": restore.run,
    "retention": retention.run,
    "peers": peers.run,
    "queue": queue.run,
    "recovery": recovery.run,
    "sched": sched.run,
    "worker": worker.run,
    "capacity": capacity.run,
    "api": api.run,
    "delivery": delivery.run,
    "pocket": pocket.run,
    "gpu": gpu.run,
    "walkthrough": walkthrough.run,
}
# What `make bench` is without a name.
USUAL = ("crypto", "retention", "peers", "queue", "recovery", "sched", "worker", "api")
ALL = "all"


def main(arguments: list[str]) -> int:
    """Run the named suites, or the usual ones; an unknown name is refused with the list."""
    parser = ArgumentParser(prog="tests.bench")
    parser.add_argument("suites", nargs="*")
    parser.add_argument("--rows", type=int, default=retention.LARGE, help="for retention")
    parser.add_argument("--people", type=int, default=restore.PEOPLE, help="for restore")
    options = parser.parse_args(arguments)
    suites = SUITES | {
        "retention": partial(retention.run, options.rows),
        "restore": partial(restore.run, options.people),
    }
    wanted = list(suites) if ALL in options.suites else options.suites or USUAL
    unknown = [name for name in wanted if name not in suites]
    if unknown:
        print(f"There is no suite {unknown[0]}; there are {ALL}, {', '.join(suites)}.")
        return 2
    print(conditions())
    began = time.monotonic()
    for name in wanted:
        print(f"\n## {name}")
        with said(name):
            suites[name]()
    print(f"\n{', '.join(wanted)}: {(time.monotonic() - began) / 60:.0f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
