"""How many workers KEDA and the autoscaler behind it would run, by GPU seconds that are open.

As deploy/helm/sitter/templates/scaling.yaml sets them up: one worker for each `threshold` seconds
of what waits and what is painted, at once upwards, one a minute downwards and only when it has been
lower for a while. Pure.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

# Kubernetes' own: no change within this part of the number, and upwards at most doubled, or four
# more where that is more, every quarter of a minute.
TOLERANCE: Final = 0.1
UP_AT_ONCE: Final = 4
POLL: Final = 15.0
DOWN_EVERY: Final = 60.0


@dataclass(frozen=True)
class Rules:
    """The values of `scaling.gpu` in the chart."""

    threshold: float = 120.0  # secondsPerWorker
    least: int = 1
    most: int = 8
    cooldown: float = 600.0


class Scaler:
    """One autoscaler and what it remembers."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        # (when, how many it would have run).
        self._wished: deque[tuple[float, int]] = deque()
        self._down_at = -math.inf

    def workers(self, at: float, now: int, seconds: float) -> int:
        """How many to run from now on, if so many run and so many GPU seconds are open."""
        wished = max(self.rules.least, min(self.rules.most, self._wish(now, seconds)))
        self._wished.append((at, wished))
        while self._wished[0][0] < at - self.rules.cooldown:
            self._wished.popleft()
        if wished > now:
            return min(wished, max(now * 2, now + UP_AT_ONCE))
        if now <= max(count for _, count in self._wished) or at - self._down_at < DOWN_EVERY:
            return now
        self._down_at = at
        return now - 1

    def _wish(self, now: int, seconds: float) -> int:
        wish = seconds / self.rules.threshold
        if now and abs(wish / now - 1) <= TOLERANCE:
            return now
        return math.ceil(wish)
