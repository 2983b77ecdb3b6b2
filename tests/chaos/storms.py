"""What a storm is made of: somebody orders, something strikes, all comes to rest, it is checked."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from deploy.env import Role
from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.history import Ledger, Verdict, check
from tests.chaos.person import say
from tests.chaos.rows import FOLDER
from tests.chaos.size import SIZE

DRAIN: Final = 240.0
# (role, index, how often of twenty)
VICTIMS: Final = (
    *((Role.GPU, index, 4) for index in PAINTERS),
    (Role.WEB, 0, 3),
    (Role.INTAKE, 0, 3),
    (Role.UPKEEP, 0, 4),
    (Role.BEAT, 0, 2),
)


@dataclass
class Strikes:
    """Who was struck, how often; begun with a seed, so that a run can be had again."""

    arena: Arena
    seed: int
    struck: Counter[str] = field(default_factory=Counter)

    def kill(self, count: int, *, pauses: tuple[float, float]) -> None:
        """Kill so many processes, one after the other, and start each anew at once."""
        dice = random.Random(self.seed)
        weights = [weight for *_, weight in VICTIMS]
        for _ in range(count):
            role, index, _weight = dice.choices(VICTIMS, weights)[0]
            time.sleep(dice.uniform(*pauses))
            self.arena.kill(role, index)
            self.struck[str(role)] += 1
            self.arena.start(role, index)


def settle(arena: Arena, crowd: Crowd, name: str, *, drain: float = DRAIN, **more: Any) -> Verdict:
    """Wait until everything has come to rest, sweep, compare; the history is kept raw."""
    crowd.join()
    arena.moving(seconds=120)
    rested = arena.drain(crowd.people, seconds=drain)
    arena.sweep()
    ledger: Ledger = arena.ledger(crowd.people)
    verdict = check(crowd.history.events, ledger)
    file = FOLDER / f"{name}{'' if SIZE else '-short'}-history.json"
    crowd.history.keep(file, ledger, verdict, statuses=crowd.statuses, rested=rested, **more)
    say(f"{name}: {told(verdict)}; HTTP {dict(crowd.statuses)}")
    return verdict


def told(verdict: Verdict) -> str:
    """A verdict in one line."""
    faults = json.dumps(verdict.faults) if verdict.faults else "no fault"
    return (
        f"{verdict.acknowledged} acknowledged, {verdict.recovered} made without an answer,"
        f" {faults}, without a portrait {verdict.without or 'none'}"
    )


def latencies(arena: Arena, crowd: Crowd, style: str) -> list[float]:
    """From the first asking to the end of the job, of everybody's jobs of a style, in seconds."""
    ends = dict(
        arena.rows(
            "SELECT DISTINCT j.id::text, extract(epoch FROM j.ended_at) FROM portraits_job j"
            " JOIN portraits_item i ON i.job_id = j.id JOIN portraits_style s ON s.id = i.style_id"
            " WHERE j.owner_id = ANY(%s) AND s.slug = %s AND j.ended_at IS NOT NULL",
            crowd.people,
            style,
        )
    )
    asked = {job: at for client in crowd.clients for job, at in client.asked_at.items()}
    return sorted(float(ends[job]) - at for job, at in asked.items() if job in ends)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


Strike = Callable[[], None]


def raw(verdict: Verdict) -> dict[str, Any]:
    """What goes beside a row."""
    return {"verdict": asdict(verdict)}


class Keeper:
    """Starts what has died again, as the supervisor of an installation does."""

    def __init__(self, arena: Arena, kept: Sequence[tuple[Role, int]]) -> None:
        self.arena, self.kept, self.deaths = arena, kept, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(0.2):
            for role, index in self.kept:
                name = str(role) if index == 0 else f"{role}-{index}"
                member = self.arena.stack._crew.members.get(name)
                if member is not None and not member.alive:
                    self.deaths += 1
                    self.arena.start(role, index)
