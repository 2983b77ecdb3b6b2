"""How many seconds of a GPU the open work of each engine takes: what an autoscaler goes by.

Costs are those of the turns (costs.py), rates what the running painters have measured of
themselves. A queue's length says little: a portrait of one engine takes fifty times as long as one
of another.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from portraits import painters

# Of an engine that nobody has painted with yet, so that its first worker is started at all: less
# than any GPU does that an engine of billions of parameters is run on.
ASSUMED_RATE: Final = 50.0


def seconds(costs: Mapping[str, float], now: datetime) -> dict[str, float]:
    """Engine → how long one worker would take for work that costs so much."""
    rates = painters.mean_rates(now)
    return {engine: cost / rates.get(engine, ASSUMED_RATE) for engine, cost in costs.items()}
