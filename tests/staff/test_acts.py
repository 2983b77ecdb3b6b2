"""An act is asked for by a link and done by a button, noted by id, and refused by role."""

import uuid
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest

from accounts.staff.pages import ReadOnly, act
from deploy.staff.roles import Role
from portraits.models import Report, Style
from privacy.models import AuditEvent
from tests.portraits.making import now
from tests.staff.members import client, member


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


class Sample(ReadOnly):
    """A page with an act on one thing, which no page of ours has yet."""

    done: list[str] = []
    actions_detail = ("do_it",)

    @act("portraits.close_style", description="Do it", danger=True)
    def do_it(self, request: HttpRequest, object_id: str) -> None:
        self.done.append(object_id)


@pytest.fixture
def style() -> Style:
    found = Style.objects.first()
    assert found
    return found


def asked(style: Style, method: str, *, superuser: bool = True) -> Any:
    """What the act answers to a member of staff."""
    page = Sample(Style, admin.site)
    http = client(member(Role.SUPPORT, superuser=superuser))
    request: Any = http.request().wsgi_request
    request.method = method
    return page.do_it(request, object_id=str(style.pk)), request.user


def test_a_link_asks_and_does_nothing(style: Style) -> None:
    Sample.done.clear()
    answer, _ = asked(style, "GET")
    page = answer.rendered_content
    assert "Do it" in page
    assert f"/admin/portraits/style/{style.pk}/change/" in page
    assert 'method="post"' in page
    assert Sample.done == []


def test_a_button_does_it_once_it_is_noted(style: Style) -> None:
    Sample.done.clear()
    answer, user = asked(style, "POST")
    assert answer["Location"] == f"/admin/portraits/style/{style.pk}/change/"
    assert Sample.done == [str(style.pk)]
    (line,) = LogEntry.objects.filter(user=user)
    assert (line.object_id, line.change_message) == (str(style.pk), "portraits.close_style")
    assert (
        AuditEvent.objects.filter(subject_id=user.pk, verb=AuditEvent.Verb.STAFF_ACTED).count() == 1
    )


def test_what_is_not_there_is_a_404_and_no_note() -> None:
    from django.http import Http404

    with pytest.raises(Http404):
        asked(Style(pk=uuid.UUID(int=0)), "POST")


def test_who_may_not_is_refused_and_nothing_is_done(style: Style) -> None:
    from django.core.exceptions import PermissionDenied

    Sample.done.clear()
    with pytest.raises(PermissionDenied):
        asked(style, "POST", superuser=False)
    assert Sample.done == []


def test_reports_are_closed_by_a_list_act_and_noted() -> None:
    style = Style.objects.all()[0]
    made = Report.objects.create(
        owner_id=member().pk, portrait_id=member().pk, style=style,
        reason=Report.Reason.values[0], created_at=now(), due_at=now(),
    )  # fmt: skip
    user = member(Role.CONTENT)
    body = {"action": "mark_closed", "index": "0", "_selected_action": [made.pk]}
    answer = client(user).post("/admin/portraits/report/", body, follow=True)
    assert "Looked into, and closed: 1." in answer.content.decode()
    made.refresh_from_db()
    assert made.state == Report.State.CLOSED
    (line,) = LogEntry.objects.filter(user=user)
    assert line.change_message == "portraits.close_report"


def test_a_style_is_edited_and_noted_by_id(style: Style) -> None:
    user = member(Role.CONTENT)
    http = client(user)
    body = {"name": style.name, "description": style.description, "position": style.position}
    assert http.post(f"/admin/portraits/style/{style.pk}/change/", body).status_code == 302
    (line,) = LogEntry.objects.filter(user=user)
    assert (line.change_message, line.object_id) == ("portraits.change_style", str(style.pk))


def test_a_choice_that_is_no_id_is_a_bad_request() -> None:
    body = {"action": "mark_closed", "index": "0", "_selected_action": ["1; DROP TABLE"]}
    answer = client(member(Role.CONTENT)).post("/admin/portraits/report/", body)
    assert answer.status_code == 400
