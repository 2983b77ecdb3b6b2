"""The first page of the admin: true numbers, of everybody together."""

import html
import json
from datetime import timedelta
from typing import Any

import pytest

from deploy.staff import dashboard
from deploy.staff.roles import Role
from portraits.models import Item, Painter, Report
from privacy.desk import incoming
from privacy.models import Case, Lease
from tests.portraits import making, ordering
from tests.portraits.making import claimed, consenting, now, style, submitted
from tests.staff.members import client, member


@pytest.fixture(autouse=True)
def _alone(born: Any) -> None:
    born("web")
    Lease.objects.all().delete()
    Painter.objects.all().delete()
    Report.objects.all().delete()
    Case.objects.all().delete()
    Item.objects.exclude(ended_at=None).update(ended_at=now() - timedelta(days=3))


def shown(role: Role = Role.SUPPORT) -> dict[str, dashboard.Card]:
    """The cards of somebody in that role, which their page shows."""
    user = member(role)
    answer = client(user).get("/admin/")
    assert answer.status_code == 200
    page = html.unescape(answer.content.decode())
    found = dashboard.cards(user, now(), dashboard.last_day(now()))
    for card in found:
        assert card.title in page
        # Who waits has waited longer by now.
        assert card.value in page or card.title == "Waiting longest"
    return {card.title: card for card in found}


def test_an_empty_installation_says_so() -> None:
    found = shown()
    assert found["In the queue"].value == "0"
    assert found["Waiting longest"].value == "nobody"
    assert found["Workers that paint"].well is False
    assert found["Success"].value == "no portraits"
    assert found["From asking to done"].value == "no portraits"
    assert found["Reports"].says == "none is open"
    assert found["Requests"].says == "none is open"


def test_it_counts_what_waits_and_what_has_ended() -> None:
    painted, who = ordering.words_only(), making.person()
    ordering.order(who, painted, 3)
    ordering.finished(who, painted)
    ordering.failed(painted)
    found = shown()
    assert found["In the queue"].value == "1"
    assert found["In the queue"].link.endswith("?state__exact=queued")
    assert found["Success"].value == "50.0 %"
    assert found["Success"].well is False
    assert found["Portraits in the last hour"].value == "1"
    hours = dashboard.last_day(now())
    assert len(hours) == 25
    assert (sum(h.done for h in hours), sum(h.failed for h in hours)) == (1, 1)
    drawn = json.loads(dashboard.charts(hours)["portraits"])
    assert sum(drawn["datasets"][0]["data"]) == 1
    assert len(drawn["labels"]) == 25


def test_what_waits_long_is_shown_as_ill() -> None:
    painted = style()
    submitted(consenting(), painted)
    Lease.objects.all().update(ready_at=now() - timedelta(minutes=10))
    card = shown()["Waiting longest"]
    assert (card.value, card.well) == ("10 min", False)
    claimed(painted)
    assert shown()["Waiting longest"].value == "nobody"


def test_a_report_past_its_date_is_late() -> None:
    painted, who = ordering.words_only(), making.person()
    ordering.order(who, painted)
    portrait = ordering.finished(who, painted)
    Report.objects.create(
        owner_id=who,
        portrait_id=portrait.pk,
        style=painted,
        reason=Report.Reason.BROKEN,
        created_at=now() - timedelta(days=9),
        due_at=now() - timedelta(days=3),
    )
    card = shown()["Reports"]
    assert (card.value, card.well) == ("1", False)
    assert card.says == "the first is 3 d late"


def test_a_request_shows_its_next_date() -> None:
    asked = incoming.Asked(Case.Kind.ACCESS, "en")
    incoming.from_person(making.owner(), asked, now() - timedelta(hours=50), proven=True)
    card = shown()["Requests"]
    assert (card.value, card.well) == ("1", False)
    assert card.says == "the first is 2 h late"
    assert card.link == "/admin/privacy/case/"


def test_a_link_is_only_for_who_may_follow_it() -> None:
    assert shown(Role.AUDITOR)["In the queue"].link == ""
