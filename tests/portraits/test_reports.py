"""An owner reports a portrait by a reason; it stays theirs, and somebody has two days to look."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from portraits import gallery, painting, reports
from portraits.errors import UnknownPortrait
from portraits.models import Portrait, Report
from privacy.errors import OwnerErased
from tests.portraits import making
from tests.portraits.making import now

Reason = Report.Reason


@pytest.fixture
def portrait(born: Any) -> Portrait:
    """Somebody's."""
    born("web")
    who, painted = making.consenting(), making.style()
    making.submitted(who, painted)
    born("gpu")
    work = making.claimed(painted)
    assert painting.finish(work.held, making.sizes(who), now())
    born("web")
    return Portrait.objects.get(owner_id=who)


def test_it_is_noted_and_due_within_two_days(portrait: Portrait) -> None:
    at = now()
    report = reports.receive(portrait.owner_id, portrait.pk, Reason.ALTERED, at)
    assert report.state == Report.State.OPEN
    assert report.due_at == at + timedelta(hours=48)
    assert report.style == portrait.item.style


def test_the_same_reason_again_is_the_same_report(portrait: Portrait) -> None:
    first, again, other = (
        reports.receive(portrait.owner_id, portrait.pk, reason, now())
        for reason in (Reason.NOT_ME, Reason.NOT_ME, Reason.BROKEN)
    )
    assert first.pk == again.pk != other.pk


def test_it_hides_nothing_from_its_owner(portrait: Portrait) -> None:
    reports.receive(portrait.owner_id, portrait.pk, Reason.INDECENT, now())
    assert gallery.find(portrait.owner_id, portrait.pk, now()) is not None


def test_nobody_else_can_report_it(portrait: Portrait) -> None:
    stranger = making.owner()
    for who, what in ((stranger, portrait.pk), (portrait.owner_id, uuid.uuid4())):
        with pytest.raises(UnknownPortrait):
            reports.receive(who, what, Reason.OTHER, now())
    assert not Report.objects.filter(portrait_id=portrait.pk).exists()


def test_who_has_left_reports_nothing(portrait: Portrait) -> None:
    from privacy import erasure

    erasure.request(portrait.owner_id, now())
    with pytest.raises((OwnerErased, UnknownPortrait)):
        reports.receive(portrait.owner_id, portrait.pk, Reason.OTHER, now())


def test_what_nobody_looked_into_in_time_is_counted(portrait: Portrait) -> None:
    at = now()
    report = reports.receive(portrait.owner_id, portrait.pk, Reason.DEMEANING, at)
    late = at + timedelta(hours=49)
    before = reports.backlog(at)["reports_overdue"]
    assert reports.backlog(late)["reports_overdue"] >= before + 1
    assert reports.close(report.pk, late)
    assert not reports.close(report.pk, late)
    report.refresh_from_db()
    assert (report.state, report.closed_at) == (Report.State.CLOSED, late)
