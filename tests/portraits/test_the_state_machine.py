"""Whatever happens in whatever order, the promises about jobs hold after every step.

With FULL=1 twenty lives are made up, otherwise eight.
"""

import os
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from portraits import endings, jobs, painting
from portraits.errors import AlreadyEnded
from portraits.models import Item, Job, Photo, Portrait, ReferenceSet
from privacy import consent, leases
from privacy.errors import ConsentMissing
from privacy.models import AuditEvent, Blob, Lease
from tests.portraits.making import (
    consenting,
    lapse,
    now,
    set_with_photo,
    sign,
    sizes,
    style,
)

PURPOSE = consent.Purpose.GENERATION
LIVES = 20 if os.environ.get("FULL") else 8


class Jobs(RuleBasedStateMachine):
    """One person, one style, any number of jobs and workers."""

    @initialize()
    def begin(self) -> None:
        """A person who has signed."""
        self.who: uuid.UUID = consenting()
        self.style = style()
        self.claims: list[leases.Claim] = []
        self.commits: dict[uuid.UUID, int] = {}
        self.submitted: list[tuple[uuid.UUID, str, int]] = []
        self.references: dict[uuid.UUID, tuple[list[uuid.UUID], bool]] = {}

    # --- The person

    @rule(count=st.integers(1, 3), keep=st.booleans())
    def submit(self, count: int, keep: bool) -> None:
        """A new job from a new set."""
        made = set_with_photo(self.who, keep_hours=48 if keep else None)
        blobs = list(Photo.objects.filter(set=made).values_list("reference_id", flat=True))
        orders = [jobs.Order(self.style.slug, seed) for seed in range(count)]
        key = uuid.uuid4().hex
        job, new = jobs.submit(self.who, made.pk, orders, key, now())
        assert new
        self.references[job.pk] = ([pk for pk in blobs if pk], keep)
        self.submitted.append((made.pk, key, count))

    @precondition(lambda self: self.submitted)
    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        """A retry of the same request changes nothing."""
        set_id, key, count = data.draw(st.sampled_from(self.submitted))
        before = Job.objects.filter(owner_id=self.who).count()
        orders = [jobs.Order(self.style.slug, seed) for seed in range(count)]
        assert not jobs.submit(self.who, set_id, orders, key, now())[1]
        assert Job.objects.filter(owner_id=self.who).count() == before

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Of any job, ended or not."""
        mine = list(Job.objects.filter(owner_id=self.who).order_by("pk"))
        if not mine:
            return
        job = data.draw(st.sampled_from(range(len(mine))))
        opened = mine[job].state in Job.OPEN
        try:
            jobs.cancel(self.who, mine[job].pk, now())
            assert opened
        except AlreadyEnded:
            assert not opened

    @rule(erase=st.booleans())
    def withdraw(self, erase: bool) -> None:
        """And sign again, so that the story goes on."""
        consent.withdraw(self.who, PURPOSE, "tests/1", now(), erase_portraits=erase)
        assert not Lease.objects.filter(owner_id=self.who).exists()
        with pytest.raises(ConsentMissing):
            consent.require(self.who, now())
        sign(self.who)

    # --- Workers

    @rule()
    def claim(self) -> None:
        """A worker asks for work."""
        work = painting.claim((self.style.engine,), now())
        if work is not None:
            assert work.held.attempts <= leases.MAX_ATTEMPTS
            self.claims.append(work.held)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), percent=st.integers(0, 99))
    def progress(self, data: st.DataObject, percent: int) -> None:
        """A worker, stale or not, tells how far it is."""
        painting.progress(data.draw(st.sampled_from(self.claims)), Item.Phase.PAINTING, percent)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """A worker, stale or not, wants to commit."""
        held = data.draw(st.sampled_from(self.claims))
        if painting.finish(held, sizes(self.who), now()):
            self.commits[held.work_id] = self.commits.get(held.work_id, 0) + 1

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """A fault that repeating cannot mend."""
        painting.fail(data.draw(st.sampled_from(self.claims)), "engine_refused", now())

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """A fault that may pass."""
        painting.again(data.draw(st.sampled_from(self.claims)), "engine_failed", now())

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def again_for_no_fault_of_its_own(self, data: st.DataObject) -> None:
        """The bucket was away."""
        held = data.draw(st.sampled_from(self.claims))
        painting.again(held, "storage_unavailable", now(), outside=True)

    @rule()
    def wait(self) -> None:
        """Until every pause before a next attempt is over."""
        Lease.objects.filter(owner_id=self.who).update(ready_at=now() - timedelta(hours=1))

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """A worker is not heard of any more."""
        lapse(data.draw(st.sampled_from(self.claims)))

    # --- Upkeep

    @rule()
    def expire(self) -> None:
        """Time passes until what has not started is given up."""
        endings.expire(now() + settings.JOB_START_LIMIT + timedelta(minutes=1))
        assert not Job.objects.filter(owner_id=self.who, state=Job.State.QUEUED).exists()

    # --- What holds

    @invariant()
    def a_portrait_has_a_finished_item(self) -> None:
        """And its item belongs to the same person."""
        for portrait in Portrait.objects.filter(owner_id=self.who).select_related("item__job"):
            assert portrait.item.state == Item.State.DONE
            assert portrait.item.job.owner_id == self.who

    @invariant()
    def a_done_job_has_a_finished_item(self) -> None:
        """The portrait itself may have been erased since."""
        for job in Job.objects.filter(owner_id=self.who, state=Job.State.DONE):
            assert job.items.filter(state=Item.State.DONE).exists()

    @invariant()
    def a_job_is_open_while_an_item_is(self) -> None:
        """Nobody waits for something that nobody will do, and nothing runs in a closed job."""
        for job in Job.objects.filter(owner_id=self.who).prefetch_related("items"):
            open_items = any(item.state in Item.OPEN for item in job.items.all())
            assert open_items == (job.state in Job.OPEN)
            assert (job.ended_at is None) == (job.state in Job.OPEN)

    @invariant()
    def open_work_and_leases_are_the_same_set(self) -> None:
        """No item is lost, and no lease is left behind."""
        mine = Item.objects.filter(job__owner_id=self.who)
        leased = Lease.objects.filter(owner_id=self.who, kind=endings.LEASE)
        opened = mine.filter(state__in=Item.OPEN)
        assert set(opened.values_list("pk", flat=True)) == set(
            leased.values_list("work_id", flat=True)
        )

    @invariant()
    def an_item_is_committed_once(self) -> None:
        """By whom, does not matter."""
        assert all(count == 1 for count in self.commits.values())
        ended = Item.objects.filter(job__owner_id=self.who, state=Item.State.DONE)
        assert set(ended.values_list("pk", flat=True)) == set(self.commits)

    @invariant()
    def photos_go_with_their_job(self) -> None:
        """Unless they are kept; and they stay while the job is open."""
        for job_id, (blobs, keep) in self.references.items():
            job = Job.objects.get(pk=job_id)
            living = Blob.objects.filter(pk__in=blobs, state=Blob.State.STORED).count()
            if job.state in Job.OPEN:
                assert living == len(blobs)
                assert ReferenceSet.objects.get(jobs=job).state == ReferenceSet.State.IN_USE
            elif not keep:
                assert living == 0

    @invariant()
    def a_portrait_is_readable_in_every_size_or_not_there(self) -> None:
        """Capsules and rows are committed together."""
        for portrait in Portrait.objects.filter(owner_id=self.who).prefetch_related("renditions"):
            states = {rendition.blob.state for rendition in portrait.renditions.all()}
            assert states == {Blob.State.STORED}


@pytest.mark.slow
def test_the_promises_hold_after_every_step(born: Any) -> None:
    born("web")
    started, before = time.monotonic(), AuditEvent.objects.count()
    run_state_machine_as_test(
        Jobs,
        settings=hypothesis_settings(
            max_examples=LIVES,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert AuditEvent.objects.count() > before
    assert time.monotonic() - started < 200
