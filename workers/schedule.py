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
    # A root's turn, its wait and its end are days long; an hour late is nothing.
    "roots": ("keeper.rotate_root", "keeper", 3600),
    "receipt key": ("upkeep.turn_keys", "upkeep", 3600),
    # Hourly questions; the answer is mostly no (SITTER_COMPACT_HOURS).
    "compact": ("upkeep.compact", "upkeep", 3600),
    # What a backup holds and the ledger not yet counts is this much at the most.
    "erasure ledger": ("upkeep.keep_ledger", "upkeep", 60),
    # An entry that is changed within this time leaves no trace; later it does.
    "ledgers": ("upkeep.seal_ledgers", "upkeep", 60),
    # Once a day; asked hourly, so that a restart of beat skips none.
    "proof": ("upkeep.prove", "upkeep", 3600),
    # What has a term in retention.TERMS outlives it by this much at most.
    "terms": ("upkeep.end_terms", "upkeep", 600),
    # Three days' notice, less an hour at most.
    "portraits": ("upkeep.remind_of_portraits", "upkeep", 3600),
    # The steps of an unused account are a day apart; a mail server that was down is asked again.
    "accounts": ("upkeep.tend_accounts", "upkeep", 3600),
    # Whoever watches the logs hears of a sweep that does not keep up within a minute.
    "backlog": ("upkeep.watch", "upkeep", 60),
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
