"""What staff do stands in the audit trail and in their own log, by id, before it is done."""

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from accounts.models import User
from accounts.staff import acts
from privacy import staff
from privacy.models import AuditEvent

Verb = AuditEvent.Verb


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture
def request_of_staff() -> Any:
    user = User.objects.create_user(f"{uuid.uuid4().hex}@example.org", is_staff=True)
    return SimpleNamespace(user=user)


def events(request: Any) -> list[tuple[int, uuid.UUID | None, int]]:
    rows = AuditEvent.objects.filter(subject_id=request.user.pk).order_by("at", "pk")
    return list(rows.values_list("verb", "object_id", "count"))


def log(request: Any) -> list[LogEntry]:
    return list(LogEntry.objects.filter(user=request.user).order_by("pk"))


def test_an_act_on_two_things_is_two_events_and_two_lines(request_of_staff: Any) -> None:
    things = [uuid.uuid4(), uuid.uuid4()]
    acts.note(request_of_staff, "portraits.cancel_job", object_ids=things)
    assert events(request_of_staff) == [(Verb.STAFF_ACTED, thing, 1) for thing in things]
    for line, thing in zip(log(request_of_staff), things, strict=True):
        assert line.object_id == str(thing)
        assert line.object_repr == f"job {thing}"
        assert line.change_message == "portraits.cancel_job"
        assert line.content_type is not None
        assert line.content_type.model == "job"


def test_things_that_are_no_uuid_are_counted(request_of_staff: Any) -> None:
    acts.note(request_of_staff, "portraits.close_report", object_ids=[1, 2, 3])
    assert events(request_of_staff) == [(Verb.STAFF_ACTED, None, 3)]
    assert [line.object_id for line in log(request_of_staff)] == ["1", "2", "3"]


def test_an_act_on_nothing_in_particular_is_one(request_of_staff: Any) -> None:
    acts.note(request_of_staff, "deploy.open_queues")
    assert events(request_of_staff) == [(Verb.STAFF_ACTED, None, 1)]
    (line,) = log(request_of_staff)
    assert (line.object_id, line.object_repr, line.content_type) == (None, "queues", None)


@pytest.mark.parametrize("verb", [staff.SIGNED_IN, staff.REFUSED, staff.ENROLLED])
def test_a_sign_in_is_noted_with_who_it_was(request_of_staff: Any, verb: AuditEvent.Verb) -> None:
    staff.note(verb, request_of_staff.user.pk)
    assert events(request_of_staff) == [(verb, None, 1)]
