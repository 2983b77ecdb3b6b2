"""The beat table: task, period in seconds, and why it runs that often. Beat holds no key."""

from typing import Any, Final

# name → (task, queue, every so many seconds)
PERIODS: Final[dict[str, tuple[str, str, float]]] = {
    # A lost nudge or a dead worker's lease delays a person by this much.
    "requeue": ("upkeep.requeue", "upkeep", 5),
    # What was destroyed is noise at once; its bytes leave the bucket within this time.
    "reap": ("upkeep.reap", "upkeep", 10),
    # No blob lives longer past its deadline than this.
    "expire": ("upkeep.expire", "upkeep", 30),
    # Objects without a row come only from crashes, and the listing is slow.
    "orphans": ("upkeep.reap_orphans", "upkeep", 600),
    # Public halves must be two days ahead of midnight.
    "fleet keys": ("intake.turn_fleet_keys", "intake", 3600),
    "evidence key": ("keeper.turn_keys", "keeper", 3600),
    "receipt key": ("upkeep.turn_keys", "upkeep", 3600),
    "sessions": ("upkeep.clear_sessions", "upkeep", 3600),
}

BEAT: Final[dict[str, dict[str, Any]]] = {
    name: {
        "task": task,
        "schedule": seconds,
        # A backlog of periodic messages is worth nothing: each expires before the next.
        "options": {"queue": queue, "expires": max(seconds, 10)},
    }
    for name, (task, queue, seconds) in PERIODS.items()
}
