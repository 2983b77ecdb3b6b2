"""Support finds a job, reads what happened to it, ends it or sends it on, and starts nothing."""

import html
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from deploy.staff.roles import Role
from portraits import helping, painting, timeline
from portraits.models import Item, Job
from privacy.models import Lease
from tests.portraits import making, ordering
from tests.portraits.making import claimed, consenting, now, style, submitted
from tests.staff.members import client, member


@pytest.fixture
def support(born: Any) -> Client:
    born("web")
    Lease.objects.all().delete()
    return client(member(Role.SUPPORT))


def read(support: Client, job: Job) -> str:
    answer = support.get(f"/admin/portraits/job/{job.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_failed_job_is_found_by_its_owner_and_explained(support: Client) -> None:
    painted, who = ordering.words_only(), making.person()
    job = ordering.order(who, painted)
    ordering.failed(painted)
    found = support.get("/admin/portraits/job/", {"q": str(who)}).content.decode()
    assert str(job.pk) in found
    text = read(support, job)
    assert "1 portrait asked for." in text
    assert "the engine cannot paint this style in this size" in text
    assert "The job ended: failed." in text
    assert "It has ended." in text


def test_what_waits_says_for_what(support: Client) -> None:
    painted = style()
    job = submitted(consenting(), painted)
    text = read(support, job)
    assert "waits for its turn" in text
    assert "No running worker has the engine" in text
    work = claimed(painted)
    assert "last step 0 s ago" in read(support, job)
    assert painting.again(work.held, "engine_failed", now())
    assert "rests until" in read(support, job)
    Lease.objects.filter(work_id=work.held.work_id).update(
        held_until=now() - timedelta(seconds=1), ready_at=now() - timedelta(seconds=1)
    )
    assert "its worker is gone" in read(support, job)


def test_a_job_is_cancelled_and_says_that_staff_did_it(support: Client) -> None:
    job = submitted(consenting(), style())
    answer = support.post(f"/admin/portraits/job/{job.pk}/cancel/", follow=True)
    assert "The job is cancelled" in answer.content.decode()
    text = read(support, job)
    assert "Staff cancelled the job." in text
    assert "was cancelled" in text
    again = support.post(f"/admin/portraits/job/{job.pk}/cancel/", follow=True)
    assert "The job is cancelled" not in again.content.decode()


def test_a_still_item_is_sent_on_and_a_moving_one_is_not(support: Client) -> None:
    painted = style()
    job = submitted(consenting(), painted)
    work = claimed(painted)
    where = f"/admin/portraits/item/{work.held.work_id}/send_on/"
    assert "being painted right now" in support.post(where, follow=True).content.decode()
    Lease.objects.filter(work_id=work.held.work_id).update(progressed_at=now() - helping.STILL * 2)
    assert "next free worker" in support.post(where, follow=True).content.decode()
    assert not painting.wanted(work.held)
    assert "Staff sent portrait 1 on" in read(support, job)


def test_no_page_begins_anything(support: Client) -> None:
    for model in ("job", "item", "report"):
        assert support.get(f"/admin/portraits/{model}/add/").status_code == 403


def test_every_code_of_an_item_is_told_in_words(support: Client) -> None:
    painted, who = ordering.words_only(), making.person()
    ordering.order(who, painted)
    item = ordering.failed(painted)
    for code, why in timeline.WHY.items():
        Item.objects.filter(pk=item.pk).update(code=code)
        text = support.get(f"/admin/portraits/item/{item.pk}/change/").content.decode()
        assert (why or "-") in html.unescape(text)
