"""What staff do, in the audit trail: their sign-ins, and each act with what it was done to.

The subject of such an event is the member of staff, the object what they acted upon. Which act it
was stands in the log of staff (`admin.LogEntry`), which ends sooner than the trail.
"""

import uuid
from typing import Final

from accounts.staff.acts import Act
from privacy import audit

Verb = audit.Verb
SIGNED_IN: Final = Verb.STAFF_SIGNED_IN
REFUSED: Final = Verb.STAFF_REFUSED
ENROLLED: Final = Verb.STAFF_ENROLLED


def note(verb: audit.Verb, staff_id: uuid.UUID) -> None:
    """One of the three above."""
    audit.record(verb, subject_id=staff_id)


def acted(act: Act) -> None:
    """One event a thing; things that are no UUID are counted in one."""
    things = [_uuid(each) for each in act.object_ids]
    for thing in filter(None, things):
        audit.record(Verb.STAFF_ACTED, subject_id=act.staff_id, object_id=thing)
    nameless = things.count(None)
    if nameless or not things:
        audit.record(Verb.STAFF_ACTED, subject_id=act.staff_id, count=max(nameless, 1))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
