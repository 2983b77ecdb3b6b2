"""What a person may have in a day and a month: never more, and what they did not get is free."""

import uuid
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portraits import endings, jobs, orders, painting, quota
from portraits.errors import (
    AllowanceUsed,
    AlreadyEnded,
    DailyAllowanceUsed,
    MonthlyAllowanceUsed,
)
from portraits.models import Allowance, Item, Job, Style
from privacy import consent
from privacy.models import Lease
from tests.portraits.making import claimed, consenting, now, person, sizes, style, submitted
from tests.portraits.ordering import (
    charged,
    failed,
    finished,
    order,
    pack,
    together,
    used,
    words_only,
)

N = 50
NOON = datetime(2031, 5, 17, 12, tzinfo=UTC)
Period = Allowance.Period


# --- Counting -----------------------------------------------------------------------------------


def test_what_is_ordered_is_counted_once_for_the_day_and_once_for_the_month() -> None:
    who, painted = person(), words_only()
    order(who, painted, 2, key="k")
    order(who, painted, 2, key="k")
    assert used(who) == (2, 2)
    found = quota.shares(who, now())
    assert {name: share.used for name, share in found.items()} == {"day": 2, "month": 2}
    assert found["day"].left == found["day"].limit - 2


def test_somebody_who_never_ordered_has_all_of_it() -> None:
    found = quota.shares(person(), now())
    assert [(share.used, share.left) for share in found.values()] == [
        (0, share.limit) for share in found.values()
    ]


@pytest.mark.parametrize(
    ("setting", "refusal", "resets_at"),
    [
        ("DAILY_PORTRAITS", DailyAllowanceUsed, datetime(2031, 5, 18, tzinfo=UTC)),
        ("MONTHLY_PORTRAITS", MonthlyAllowanceUsed, datetime(2031, 6, 1, tzinfo=UTC)),
    ],
)
def test_one_too_many_is_refused_and_nothing_is_lost(
    settings_of: Any, setting: str, refusal: type[AllowanceUsed], resets_at: datetime
) -> None:
    settings_of(**{setting: 3})
    who, wanted = person(), [jobs.Order(words_only().slug)] * 2
    jobs.submit(who, None, wanted, "first", NOON)
    before = Job.objects.count(), Item.objects.count(), Lease.objects.count()
    with pytest.raises(refusal) as refused:
        jobs.submit(who, None, wanted, "second", NOON)
    assert refused.value.retry_after is not None
    again = NOON + timedelta(seconds=refused.value.retry_after)
    assert resets_at < again <= resets_at + timedelta(seconds=1)
    assert before == (Job.objects.count(), Item.objects.count(), Lease.objects.count())
    assert used(who) == (2, 2)
    assert not jobs.submit(who, None, wanted, "first", NOON)[1]
    assert jobs.submit(who, None, wanted[:1], "second", NOON)[1]
    assert jobs.submit(who, None, wanted, "third", again)[1]


def test_more_at_once_than_any_day_has_is_refused_before_the_first_row(settings_of: Any) -> None:
    settings_of(DAILY_PORTRAITS=3)
    who = person()
    with pytest.raises(DailyAllowanceUsed):
        order(who, words_only(), 4)
    assert not Allowance.objects.filter(owner_id=who).exists()


@pytest.mark.parametrize("size", [1, 3])
def test_fifty_at_once_never_get_more_than_there_is(settings_of: Any, size: int) -> None:
    settings_of(DAILY_PORTRAITS=20)
    who, painted = person(), words_only()
    order(who, painted)

    def post(_: int) -> bool:
        try:
            order(who, painted, size)
        except DailyAllowanceUsed:
            return False
        return True

    passed = sum(together(N, post))
    assert passed == 19 // size
    assert used(who) == (1 + passed * size, 1 + passed * size)
    assert Item.objects.filter(job__owner_id=who).count() == 1 + passed * size


def test_a_repeated_order_gets_its_job_when_it_used_up_the_rest(settings_of: Any) -> None:
    settings_of(DAILY_PORTRAITS=1)
    who, painted = person(), words_only()
    assert len({job.pk for job in together(N, lambda _: order(who, painted, key="k"))}) == 1
    assert used(who) == (1, 1)


def test_a_twin_that_was_first_is_no_reason_to_refuse(
    settings_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_of(DAILY_PORTRAITS=1)
    who, painted, look = person(), words_only(), orders.styles
    first: list[Job] = []

    def late(wanted: orders.Wanted) -> dict[str, Style]:
        # Behind the last look at the key, the same request comes in beside this one.
        monkeypatch.setattr(orders, "styles", look)
        first.extend(together(1, lambda _: order(who, painted, key="k")))
        return look(wanted)

    monkeypatch.setattr(orders, "styles", late)
    assert order(who, painted, key="k").pk == first[0].pk
    assert used(who) == (1, 1)


def test_days_and_months_begin_at_midnight_utc() -> None:
    last = datetime(2031, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert (quota.starts(Period.DAY, last), quota.starts(Period.MONTH, last)) == (
        date(2031, 12, 31),
        date(2031, 12, 1),
    )
    new_year = datetime(2032, 1, 1, tzinfo=UTC)
    assert quota.ends(Period.DAY, last) == quota.ends(Period.MONTH, last) == new_year
    assert quota.ends(Period.MONTH, datetime(2032, 2, 1, tzinfo=UTC)).month == 3


# --- Giving back --------------------------------------------------------------------------------


def test_a_portrait_stays_counted() -> None:
    who, painted = person(), words_only()
    order(who, painted)
    finished(who, painted)
    assert used(who) == (1, 1)


@pytest.mark.parametrize("state", [None, Item.State.BLOCKED])
def test_what_failed_or_was_held_back_is_taken_off_when_its_job_ends(
    state: Item.State | None,
) -> None:
    who, painted = person(), words_only()
    order(who, painted, 2)
    assert painting.fail(claimed(painted).held, "engine_refused", now(), state=state)
    assert used(who) == (2, 2)  # it may be tried once more as long as the job is open
    finished(who, painted)
    assert used(who) == (1, 1)
    assert charged(who) == 1


def test_what_expired_is_taken_off() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    Job.objects.filter(pk=job.pk).update(start_by=now(), end_by=now())
    endings.expire(now())
    assert set(job.items.values_list("state", flat=True)) == {Item.State.EXPIRED}
    assert used(who) == (0, 0)


def test_a_cancel_takes_off_what_had_not_begun() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 4)
    finished(who, painted)
    claimed(painted)
    jobs.cancel(who, job.pk, now())
    assert used(who) == (2, 2)
    assert charged(who) == 2


def test_a_cancel_takes_off_what_was_given_back_and_only_waited() -> None:
    who, painted = person(), words_only()
    job = order(who, painted)
    assert painting.again(claimed(painted).held, "engine_failed", now())
    jobs.cancel(who, job.pk, now())
    assert used(who) == (0, 0)


def test_a_withdrawal_takes_off_what_had_not_begun() -> None:
    who, painted = consenting(), style()
    submitted(who, painted, count=3)
    finished(who, painted)
    consent.withdraw(who, consent.Purpose.GENERATION, "tests/1", now(), erase_portraits=True)
    assert used(who) == (1, 1)


def test_it_is_taken_off_the_day_and_the_month_in_which_it_was_ordered() -> None:
    who, painted = person(), words_only()
    old = datetime(2031, 1, 31, 23, tzinfo=UTC)
    wanted = [jobs.Order(painted.slug)]
    first, _ = jobs.submit(who, None, wanted * 2, "old", old)
    jobs.submit(who, None, wanted, "new", old + timedelta(hours=2))
    jobs.cancel(who, first.pk, old + timedelta(hours=3))
    rows = Allowance.objects.filter(owner_id=who).values_list("starts", "period", "used")
    assert set(rows) == {
        (date(2031, 1, 31), "day", 0),
        (date(2031, 1, 1), "month", 0),
        (date(2031, 2, 1), "day", 1),
        (date(2031, 2, 1), "month", 1),
    }


def test_a_job_is_settled_once_however_it_is_ended_at_the_same_moment() -> None:
    who, painted = person(), words_only()
    for _ in range(5):
        job = order(who, painted, 2)
        held = claimed(painted).held
        drafted = sizes(who)
        Job.objects.filter(pk=job.pk).update(start_by=now(), end_by=now())

        def end(number: int, job: Job = job, held: Any = held, drafted: Any = drafted) -> None:
            match number % 4:
                case 0:
                    painting.fail(held, "engine_refused", now())
                case 1:
                    endings.expire(now())
                case 2:
                    painting.finish(held, drafted, now())
                case _:
                    _cancel(who, job.pk)

        together(8, end)
        _cancel(who, job.pk)
        assert used(who) == (charged(who),) * 2


def _cancel(who: uuid.UUID, job_id: uuid.UUID) -> None:
    with suppress(AlreadyEnded):
        jobs.cancel(who, job_id, now())


def test_a_whole_pack_that_fails_costs_nothing() -> None:
    who, painted = person(), words_only()
    pack(who, 5, painted)
    for _ in range(5):
        failed(painted)
    assert used(who) == (0, 0)
