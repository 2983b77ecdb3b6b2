"""The beat table: task, period in seconds, and why it runs that often. Beat holds no key.

Periods begin by the wall clock, so that several beats mean the same one; who runs it is decided
where it arrives (periods.py). Refuses nothing itself: beat has no login of the database.
"""

from datetime import datetime
from typing import Any, Final

from celery.schedules import schedstate, schedule

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
    # Whoever may know of a legal order about them knows within the hour.
    "legal orders": ("upkeep.tell_of_orders", "upkeep", 3600),
    # Somebody who comes with a token of a new key waits this long at the most.
    "provider keys": ("courier.fetch_keys", "courier", 60),
    # Whoever watches the logs hears of a sweep that does not keep up within a minute.
    "backlog": ("upkeep.watch", "upkeep", 60),
}


def slot_at(moment: float, seconds: float) -> int:
    """The number of the period that a moment lies in."""
    return int(moment // seconds)


def lives_for(seconds: float) -> float:
    """How long a message of this period is worth anything: a backlog of them is worth nothing."""
    return max(seconds, 10)


class OnTheClock(schedule):
    """Due once in every period of the wall clock, as soon as it begins."""

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether a period has begun since, and how long until the next one does."""
        now = self.maybe_make_aware(self.now()).timestamp()
        last = self.maybe_make_aware(last_run_at).timestamp()
        slot = slot_at(now, self.seconds)
        # Not "later": a clock that was set back must not silence beat until it is caught up.
        is_due = slot != slot_at(last, self.seconds)
        return schedstate(is_due=is_due, next=(slot + 1) * self.seconds - now)


BEAT: Final[dict[str, dict[str, Any]]] = {
    name: {
        "task": task,
        "schedule": OnTheClock(seconds),
        # The slot is read from it, so that nothing else travels with the message.
        "options": {"queue": queue, "expires": lives_for(seconds)},
    }
    for name, (task, queue, seconds) in PERIODS.items()
}


def table(*, providers: bool) -> dict[str, dict[str, Any]]:
    """The entries that somebody is there for: with nobody to sign in by, no courier may run."""
    return {name: BEAT[name] for name in BEAT if providers or PERIODS[name][1] != "courier"}
