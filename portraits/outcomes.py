"""What became of a job, said from the states of its items alone (pure)."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal, get_args

from portraits.models import Item

Outcome = Literal["complete", "partial", "nothing"]
OUTCOMES: Final[tuple[str, ...]] = get_args(Outcome)


def counts(states: Iterable[str]) -> dict[str, int]:
    """How many items are in each state, in the order of a life; none is left out."""
    found = Counter(states)
    return {str(state): found[state] for state in Item.State}


def outcome(states: Iterable[str]) -> Outcome | None:
    """All portraits exist, some, or none; None while an item is open."""
    found = Counter(states)
    if any(found[state] for state in Item.OPEN):
        return None
    done = found[Item.State.DONE]
    if not done:
        return "nothing"
    return "complete" if done == found.total() else "partial"
