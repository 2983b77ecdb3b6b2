"""Whatever happens in whatever order, a person's days and months count what they should.

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

from portraits import endings, jobs, orders, painting, quota
from portraits.errors import (
    AllowanceUsed,
    AlreadyEnded,
    AlreadyRetried,
    JobEnded,
    NotFailed,
    RerollRefused,
    TooManyOpen,
)
from portraits.models import Allowance, Item, Job, Portrait
from privacy import leases
from privacy.models import Lease
from tests.portraits.making import lapse, now, person, sizes
from tests.portraits.ordering import used, words_only

DAILY, MONTHLY, OPEN = 12, 20, 9
LIVES = 20 if os.environ.get("FULL") else 8
UNSERVED = {Item.State.FAILED, Item.State.BLOCKED, Item.State.EXPIRED}


class Allowances(RuleBasedStateMachine):
    """One person, one style, days that pass, and workers that finish, fail and die."""

    @initialize()
    def begin(self) -> None:
        """Somebody who has ordered nothing yet."""
        self.who: uuid.UUID = person()
        self.style = words_only()
        self.claims: list[leases.Claim] = []
        # When it was ordered, by the person's own calendar.
        self.days = 0
        self.begun: set[uuid.UUID] = set()
        self.tried: dict[uuid.UUID, int] = {}

    @property
    def today(self) -> Any:
        """The day on which something is ordered; the rest happens now."""
        return now() + timedelta(days=self.days)

    @rule(days=st.integers(1, 20))
    def sleep(self, days: int) -> None:
        """Until another day."""
        self.days += days

    def submit(self, wanted: orders.Wanted, charged: int) -> None:
        """Order it, or be refused without a trace."""
        before, shares = used(self.who), quota.shares(self.who, self.today)
        left = min(share.left for share in shares.values())
        room = settings.OPEN_ITEMS - Lease.objects.filter(owner_id=self.who).count()
        try:
            jobs.submit(self.who, None, wanted, uuid.uuid4().hex, self.today)
        except AllowanceUsed:
            assert left < charged
        except TooManyOpen:
            assert charged <= left
            assert room < charged or not charged
        except RerollRefused:
            assert charged == 0
        else:
            assert charged <= left
            assert used(self.who) == (before[0] + charged, before[1] + charged)
            return
        assert used(self.who) == before

    @rule(count=st.integers(1, 4))
    def order(self, count: int) -> None:
        """A few portraits."""
        self.submit([jobs.Order(self.style.slug)] * count, count)

    @rule(variations=st.integers(1, 7))
    def order_a_pack(self, variations: int) -> None:
        """Many at once."""
        self.submit(jobs.Pack((self.style.slug,), variations), variations)

    @rule(data=st.data())
    def order_anew(self, data: st.DataObject) -> None:
        """A portrait that is not liked."""
        mine = list(Portrait.objects.filter(owner_id=self.who).order_by("pk"))
        if mine:
            portrait = data.draw(st.sampled_from(range(len(mine))))
            wanted = [jobs.Order(self.style.slug, reroll_of=mine[portrait].pk)]
            self.submit(wanted, 0)

    @rule(data=st.data())
    def try_again(self, data: st.DataObject) -> None:
        """Any item, failed or not."""
        mine = list(Item.objects.filter(job__owner_id=self.who).order_by("pk"))
        if not mine:
            return
        item = mine[data.draw(st.sampled_from(range(len(mine))))]
        before = used(self.who)
        try:
            jobs.retry(self.who, item.job_id, item.pk, now())
        except (JobEnded, AlreadyRetried, NotFailed):
            assert item.state != Item.State.FAILED or item.retried or item.job.state not in Job.OPEN
        else:
            if item.state == Item.State.FAILED:
                self.tried[item.pk] = self.tried.get(item.pk, 0) + 1
        assert used(self.who) == before

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Of any job, ended or not."""
        mine = list(Job.objects.filter(owner_id=self.who).order_by("pk"))
        if not mine:
            return
        job = mine[data.draw(st.sampled_from(range(len(mine))))]
        try:
            jobs.cancel(self.who, job.pk, now())
        except AlreadyEnded:
            assert job.state not in Job.OPEN

    @rule()
    def claim(self) -> None:
        """A worker asks for work."""
        work = painting.claim((self.style.engine,), now())
        if work is not None:
            self.claims.append(work.held)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """A worker, stale or not, wants to commit."""
        painting.finish(data.draw(st.sampled_from(self.claims)), sizes(self.who), now())

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), state=st.sampled_from([Item.State.FAILED, Item.State.BLOCKED]))
    def fail(self, data: st.DataObject, state: Item.State) -> None:
        """A fault that repeating cannot mend, or a gate."""
        painting.fail(data.draw(st.sampled_from(self.claims)), "no", now(), state=state)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """A fault that may pass."""
        painting.again(data.draw(st.sampled_from(self.claims)), "engine_failed", now())
        Lease.objects.filter(owner_id=self.who).update(ready_at=now() - timedelta(hours=1))

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """A worker is not heard of any more."""
        lapse(data.draw(st.sampled_from(self.claims)))

    @rule()
    def expire(self) -> None:
        """What has waited for too long is given up."""
        Job.objects.filter(owner_id=self.who).update(start_by=now(), end_by=now())
        endings.expire(now())

    # --- What holds

    @invariant()
    def each_period_counts_the_marked_items_that_were_ordered_in_it(self) -> None:
        """No more and no fewer, in no other period."""
        marked = Item.objects.filter(job__owner_id=self.who, charged=True)
        ordered = list(marked.values_list("job__created_at", flat=True))
        for row in Allowance.objects.filter(owner_id=self.who):
            period = Allowance.Period(row.period)
            assert row.used == sum(quota.starts(period, at) == row.starts for at in ordered)
            assert row.used <= (DAILY if period is Allowance.Period.DAY else MONTHLY)
        assert used(self.who) == (len(ordered),) * 2

    @invariant()
    def what_came_to_nothing_is_not_marked_once_its_job_has_ended(self) -> None:
        """And what came to something is, unless it was free."""
        items = Item.objects.filter(job__owner_id=self.who).select_related("job", "reroll_of")
        for item in items.exclude(job__state__in=Job.OPEN):
            if item.state in UNSERVED:
                assert not item.charged
                assert item.reroll_of is None
            elif item.state == Item.State.DONE or item.started_at:
                assert item.charged == (item.reroll_of is None)
            else:
                assert not item.charged

    @invariant()
    def while_a_job_is_open_all_its_places_are_kept(self) -> None:
        """What has failed may be tried again."""
        for item in Item.objects.filter(job__owner_id=self.who, job__state__in=Job.OPEN):
            assert item.charged == (item.reroll_of_id is None)

    @invariant()
    def nothing_is_tried_twice_and_no_free_one_has_a_free_one(self) -> None:
        """However often it is asked for."""
        assert all(count == 1 for count in self.tried.values())
        again = Item.objects.filter(job__owner_id=self.who).exclude(reroll_of=None)
        assert not again.filter(reroll_of__charged=False).exists()

    @invariant()
    def no_more_is_open_than_may_be(self) -> None:
        """A second try takes the place that its first one had."""
        opened = Item.objects.filter(job__owner_id=self.who, state__in=Item.OPEN).count()
        assert opened <= OPEN + len(self.tried)
        assert opened == Lease.objects.filter(owner_id=self.who).count()


@pytest.mark.slow
def test_the_allowance_holds_after_every_step(born: Any, settings_of: Any) -> None:
    born("web")
    settings_of(DAILY_PORTRAITS=DAILY, MONTHLY_PORTRAITS=MONTHLY, OPEN_ITEMS=OPEN)
    started, before = time.monotonic(), Item.objects.count()
    run_state_machine_as_test(
        Allowances,
        settings=hypothesis_settings(
            max_examples=LIVES,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Item.objects.count() > before
    assert time.monotonic() - started < 200
