"""A5: how long the card waits between two jobs of one engine, in the real worker."""

import statistics
from contextlib import ExitStack
from itertools import pairwise

from deploy.env import Role
from tests.bench import worker
from tests.bench.gpu.place import TOYS, Place
from tests.chaos.person import wait

ENGINE = "tests.bench.gpu.engines:BenchKlein"
# Loading, compiling and the picture of nobody.
PATIENCE = 600


def run(place: Place) -> dict[str, float]:
    """From the end of each picture to the begin of the next, photos fetched and results stored."""
    count, side = place.pick((40, 1024), (4, 512))
    with ExitStack() as held:
        # Processes of the stack inherit nothing. Random weights paint no face to be found.
        env = {"BENCH_ENGINE": ENGINE, "BENCH_FACE_GATE": "off"}
        env |= {TOYS: "1"} if place.toy else {}
        bench = held.enter_context(worker.bench(ENGINE, env))
        member = bench.stack.start_role(Role.GPU)
        held.callback(bench.stack.stop_role, Role.GPU)
        wait("the painter is ready", member.look, seconds=PATIENCE)
        bench.order(2, side)
        bench.idle(PATIENCE)
        bench.forget()
        bench.order(count, side)
        bench.idle(PATIENCE)
        renders = bench.renders()
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(renders)]
    whole = renders[-1][1] - renders[0][0]
    found = {
        "gap_ms": 1000 * statistics.median(gaps),
        "longest_ms": 1000 * max(gaps),
        "busy": sum(end - begin for begin, end in renders) / whole,
        "jobs": len(renders),
    }
    print(found)
    return found
