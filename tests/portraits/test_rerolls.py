"""A portrait that was not liked is painted anew for nothing, once."""

import uuid

import pytest

from portraits import gallery, jobs
from portraits.errors import (
    AlreadyRerolled,
    KeyReused,
    RerollNotFree,
    RerollOfAnotherStyle,
    RerollRefused,
    RerollUnknown,
)
from portraits.models import Item, Job, Portrait, Style
from privacy.models import Blob, Lease
from tests.portraits.making import claimed, consenting, now, person, set_with_photo, style
from tests.portraits.ordering import failed, finished, order, together, used, words_only


def anew(who: uuid.UUID, portrait: Portrait | uuid.UUID, painted: Style, key: str = "") -> Job:
    """Order it once more."""
    pk = portrait.pk if isinstance(portrait, Portrait) else portrait
    wanted = [jobs.Order(painted.slug, reroll_of=pk)]
    return jobs.submit(who, None, wanted, key or uuid.uuid4().hex, now())[0]


def liked_not() -> tuple[uuid.UUID, Style, Portrait]:
    """Somebody with a portrait."""
    who, painted = person(), words_only()
    order(who, painted)
    return who, painted, finished(who, painted)


def refused(who: uuid.UUID, orders: list[jobs.Order], error: type[RerollRefused]) -> str | None:
    """It says no, and nothing has changed; returns which order it names."""
    before = Job.objects.count(), Lease.objects.count(), used(who)
    with pytest.raises(error) as said:
        jobs.submit(who, None, orders, uuid.uuid4().hex, now())
    assert before == (Job.objects.count(), Lease.objects.count(), used(who))
    return said.value.field


def test_it_is_free_and_has_another_seed() -> None:
    who, painted, portrait = liked_not()
    job = anew(who, portrait, painted)
    item = job.items.get()
    assert (item.reroll_of, item.charged) == (portrait.item, False)
    assert item.seed != portrait.item.seed
    assert used(who) == (1, 1)
    finished(who, painted)
    assert used(who) == (1, 1)
    assert Portrait.objects.filter(owner_id=who).count() == 2


def test_it_is_free_even_when_nothing_is_left(settings_of: object) -> None:
    who, painted, portrait = liked_not()
    settings_of(DAILY_PORTRAITS=1, MONTHLY_PORTRAITS=1)  # type: ignore[operator]
    assert anew(who, portrait, painted).items.get().charged is False


def test_once_for_each_portrait() -> None:
    who, painted, portrait = liked_not()
    anew(who, portrait, painted)
    wanted = [jobs.Order(painted.slug), jobs.Order(painted.slug, reroll_of=portrait.pk)]
    assert refused(who, wanted, AlreadyRerolled) == "items.1.reroll_of"


def test_not_twice_in_one_order() -> None:
    who, painted, portrait = liked_not()
    twice = [jobs.Order(painted.slug, reroll_of=portrait.pk)] * 2
    assert refused(who, twice, AlreadyRerolled) == "items.1.reroll_of"


def test_many_at_once_get_one() -> None:
    who, painted, portrait = liked_not()

    def post(_: int) -> bool:
        try:
            anew(who, portrait, painted)
        except AlreadyRerolled:
            return False
        return True

    assert sum(together(12, post)) == 1
    assert Item.objects.filter(reroll_of=portrait.item).count() == 1


def test_the_same_request_many_times_at_once_is_one_job() -> None:
    who, painted, portrait = liked_not()
    made = together(12, lambda _: anew(who, portrait, painted, "k").pk)
    assert len(set(made)) == 1


def test_a_free_one_has_no_free_one() -> None:
    who, painted, portrait = liked_not()
    anew(who, portrait, painted)
    second = finished(who, painted)
    wanted = [jobs.Order(painted.slug, reroll_of=second.pk)]
    assert refused(who, wanted, RerollNotFree) == "items.0.reroll_of"


def test_it_is_of_the_same_style() -> None:
    who, _, portrait = liked_not()
    refused(who, [jobs.Order(words_only().slug, reroll_of=portrait.pk)], RerollOfAnotherStyle)


def test_a_newer_version_of_the_style_will_do() -> None:
    who, painted, portrait = liked_not()
    painted.retired_at = now()
    painted.save()
    newer = Style.objects.create(
        slug=painted.slug, version=2, name="New", engine=painted.engine, recipe=painted.recipe
    )
    assert anew(who, portrait, newer).items.get().style == newer


def test_somebody_elses_and_none_do_not_exist() -> None:
    who, painted, portrait = liked_not()
    stranger = person()
    order(stranger, words_only())
    refused(stranger, [jobs.Order(painted.slug, reroll_of=portrait.pk)], RerollUnknown)
    refused(who, [jobs.Order(painted.slug, reroll_of=uuid.uuid4())], RerollUnknown)


def test_one_that_is_gone_is_not_painted_anew() -> None:
    who, painted, portrait = liked_not()
    Blob.objects.filter(pk=portrait.blob_id).update(expires_at=now())
    refused(who, [jobs.Order(painted.slug, reroll_of=portrait.pk)], RerollUnknown)
    who, painted, portrait = liked_not()
    gallery.delete(who, portrait.pk, now())
    refused(who, [jobs.Order(painted.slug, reroll_of=portrait.pk)], RerollUnknown)


def test_one_that_came_to_nothing_is_still_to_be_had() -> None:
    who, painted, portrait = liked_not()
    anew(who, portrait, painted)
    failed(painted)
    job = anew(who, portrait, painted)
    jobs.cancel(who, job.pk, now())
    anew(who, portrait, painted)
    finished(who, painted)
    refused(who, [jobs.Order(painted.slug, reroll_of=portrait.pk)], AlreadyRerolled)
    assert used(who) == (1, 1)


def test_one_that_was_stopped_while_it_was_painted_is_gone() -> None:
    who, painted, portrait = liked_not()
    job = anew(who, portrait, painted)
    claimed(painted)
    jobs.cancel(who, job.pk, now())
    refused(who, [jobs.Order(painted.slug, reroll_of=portrait.pk)], AlreadyRerolled)


def test_a_key_covers_what_is_painted_anew() -> None:
    who, painted, portrait = liked_not()
    anew(who, portrait, painted, "k")
    with pytest.raises(KeyReused):
        jobs.submit(who, None, [jobs.Order(painted.slug)], "k", now())


def test_it_is_painted_from_photos_like_any_other() -> None:
    who, painted = consenting(), style()
    kept = set_with_photo(who, keep_hours=48)
    jobs.submit(who, kept.pk, [jobs.Order(painted.slug)], "k1", now())
    portrait = finished(who, painted)
    wanted = [jobs.Order(painted.slug, reroll_of=portrait.pk), jobs.Order(painted.slug)]
    job, _ = jobs.submit(who, kept.pk, wanted, "k2", now())
    assert [item.charged for item in job.items.all()] == [False, True]
    assert used(who) == (2, 2)
