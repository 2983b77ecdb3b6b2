"""Many accounts at once through the stages of stages.py, with a look and a receipt for each person.

After a restore everybody who has left since the backup must leave again before anybody is served,
and one after the other that takes hours. What is asked of the database and of the bucket is asked
once a batch here. Whoever does not get through with the others keeps their stage, and the machine
of stages.py takes them by themselves: nothing is skipped, and nothing is said that was not seen.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from accounts import limits
from privacy import bucket, heartbeats, leases, recipients, stages, storage
from privacy.erasure import LEASE
from privacy.errors import NotYetGone
from privacy.models import Erasure
from privacy.stages import Clock, Stage

log = logging.getLogger(__name__)

AT_ONCE: Final = 250
# Rows of a batch are loaded before they go, so a batch with large accounts holds fewer people.
BODIES_AT_ONCE: Final = 20_000
Held = dict[uuid.UUID, leases.Claim]


def work(now: Clock) -> None:
    """Upkeep: take all accounts that wait as far as they will go; then whatever is left singly."""
    waiting = Erasure.objects.filter(scope=Erasure.Scope.ACCOUNT).exclude(stage=Stage.PROVED)
    # By their folders, so that a batch's lie side by side in the bucket's listing.
    for ids in _batches(waiting.order_by("prefix").values_list("pk", "counts")):
        held = _claim(ids)
        if held:
            _attempt(held, now)
    stages.work(now)


def _batches(waiting: Iterable[tuple[uuid.UUID, dict[str, int]]]) -> Iterator[list[uuid.UUID]]:
    batch: list[uuid.UUID] = []
    bodies = 0
    for erasure_id, counts in waiting:
        more = sum(counts.values())
        if batch and (len(batch) == AT_ONCE or bodies + more > BODIES_AT_ONCE):
            yield batch
            batch, bodies = [], 0
        batch.append(erasure_id)
        bodies += more
    if batch:
        yield batch


def _claim(ids: list[uuid.UUID]) -> Held:
    held: Held = {}
    while len(held) < len(ids) and (claim := leases.claim(LEASE, among=ids)):
        held[claim.work_id] = claim
    return held


def _attempt(held: Held, now: Clock) -> None:
    """One attempt. Whoever is left in `held` afterwards is given back, ready to be taken singly."""
    try:
        with heartbeats.during_all(list(held.values())):
            _go_through(held, now)
    except Exception as error:  # noqa: BLE001 - whatever it was, each is tried by itself
        extra = {"count": len(held), "error": type(error).__name__}
        log.warning("erasures_not_proved_together", extra=extra)
    for claim in held.values():
        leases.give_back(claim, forgiven=True)


def _go_through(held: Held, now: Clock) -> None:
    """The stages in their order; each act may be repeated, as in the single machine."""
    for stage, following, act in STEPS:
        at_it = _at(held, stage)
        if not at_it:
            continue
        act(at_it, now())
        ids = [erasure.pk for erasure in at_it]
        Erasure.objects.filter(pk__in=ids, stage=stage).update(stage=following)
        # Whose lease was lost meanwhile belongs to somebody else.
        still = heartbeats.renew_all(held.values(), progressed=True)
        for lost in held.keys() - still:
            del held[lost]
        if not held:
            return
    _prove(_at(held, Stage.ROWS), now())
    for erasure in _at(held, Stage.PROVED):
        stages.finish(erasure, held.pop(erasure.pk), now())


def _at(held: Held, stage: Stage) -> list[Erasure]:
    return list(Erasure.objects.filter(pk__in=list(held), stage=stage))


# --- The steps ---------------------------------------------------------------------------------


def _folders(erasures: Iterable[Erasure]) -> list[str]:
    return [folder for erasure in erasures for folder in stages.folders(erasure)]


def _delete_objects(erasures: list[Erasure], now: datetime) -> None:
    left = storage.purge_among(_folders(erasures), versioned=bucket.versioned())
    if left:
        raise NotYetGone(stages.still(left))


def _tell(erasures: list[Erasure], now: datetime) -> None:
    for erasure in erasures:
        recipients.tell(erasure, now)


def _delete_rows(erasures: list[Erasure], now: datetime) -> None:
    for erasure in erasures:
        stages.forget_counts(erasure)
    for _, _, rows in stages.rows_of(_people(erasures)):
        # By the key alone: some columns are not for upkeep to read.
        rows.only("pk").delete()


def _people(erasures: Iterable[Erasure]) -> list[uuid.UUID]:
    return [erasure.subject_id for erasure in erasures]


def _prove(erasures: list[Erasure], now: datetime) -> None:
    """Look everything up again, and sign for each person of whom nothing was found.

    Of whom something was found, the single machine finds it too, names it and begins again.
    """
    left = _left(erasures)
    for erasure in erasures:
        if erasure.subject_id not in left:
            stages.say_proved(erasure, now)


def _left(erasures: list[Erasure]) -> set[uuid.UUID]:
    """Of whom there is still something."""
    left: set[uuid.UUID] = set()
    for _, whose, rows in stages.rows_of(_people(erasures)):
        found = rows.order_by().values_list(whose, flat=True).distinct()
        left |= {uuid.UUID(str(person)) for person in found}
    objects = storage.traces_among(_folders(erasures), versioned=bucket.versioned())
    prefixes = {name.split("/")[1] for name in objects.names()}
    left |= {erasure.subject_id for erasure in erasures if erasure.prefix in prefixes}
    return left | {person for person in _people(erasures) if limits.remembers(person)}


Act = Callable[[list[Erasure], datetime], None]
STEPS: Final[tuple[tuple[Stage, Stage, Act], ...]] = (
    (Stage.SHREDDED, Stage.OBJECTS, _delete_objects),
    (Stage.OBJECTS, Stage.RECIPIENTS, _tell),
    (Stage.RECIPIENTS, Stage.ROWS, _delete_rows),
)
