"""One Idempotency-Key starts one job, however often and however fast it is sent.

With FULL=1 fifty post at once five times over, otherwise twice.
"""

import os
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from portraits import jobs
from portraits.errors import KeyReused, ReferencesInUse
from portraits.models import Item, Job
from privacy import retention, terms
from privacy.models import Lease
from tests.portraits.making import consenting, now, set_with_photo, style
from tests.portraits.ordering import together, used, words_only

N = 50
TIMES = 5 if os.environ.get("FULL") else 2


def test_the_same_key_and_body_give_the_same_job() -> None:
    who, order = consenting(), jobs.Order(style().slug)
    made = set_with_photo(who)
    first, new = jobs.submit(who, made.pk, [order], "k", now())
    again, renewed = jobs.submit(who, made.pk, [order], "k", now())
    assert (new, renewed) == (True, False)
    assert first.pk == again.pk
    assert Item.objects.filter(job=first).count() == 1


@pytest.mark.parametrize("photos", [True, False], ids=["of photos", "of words"])
def test_fifty_at_once_give_one_job(photos: bool) -> None:
    """Of photos, the set's row keeps them apart; of words alone, nothing but the key does."""
    at = now()
    for _ in range(TIMES):
        who = consenting()
        painted = style() if photos else words_only()
        made = set_with_photo(who).pk if photos else None
        answers = Counter(
            together(N, lambda _: jobs.submit(who, made, [jobs.Order(painted.slug)], "k", at)[0].pk)  # noqa: B023
        )
        assert Job.objects.filter(owner_id=who).count() == 1
        assert list(answers.values()) == [N]
        assert Lease.objects.filter(owner_id=who).count() == 1
        assert used(who) == (1, 1)


def test_the_same_key_with_another_body_is_refused() -> None:
    who, painted = consenting(), style()
    made, other = set_with_photo(who), set_with_photo(who)
    jobs.submit(who, made.pk, [jobs.Order(painted.slug, 1)], "k", now())
    for changed, orders in (
        (made, [jobs.Order(painted.slug, 2)]),
        (made, [jobs.Order(painted.slug, 1)] * 2),
        (other, [jobs.Order(painted.slug, 1)]),
    ):
        with pytest.raises(KeyReused):
            jobs.submit(who, changed.pk, orders, "k", now())
    assert Job.objects.filter(owner_id=who).count() == 1


def test_two_keys_for_one_set_give_one_job_and_a_refusal() -> None:
    who, order, at = consenting(), jobs.Order(style().slug), now()
    made = set_with_photo(who)
    together = Barrier(8)

    def post(number: int) -> bool:
        try:
            together.wait(30)
            jobs.submit(who, made.pk, [order], f"k{number}", at)
        except ReferencesInUse:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(post, range(8))) == 1


def test_a_key_is_its_owners_own() -> None:
    order = jobs.Order(style().slug)
    made = []
    for who in (consenting(), consenting()):
        job, new = jobs.submit(who, set_with_photo(who).pk, [order], "k", now())
        assert new
        made.append(job.pk)
    assert len(set(made)) == 2


def test_a_key_is_forgotten_after_a_day_and_not_before() -> None:
    who, order, at = consenting(), jobs.Order(style().slug), now()
    made = set_with_photo(who, keep_hours=100, at=at)
    first, _ = jobs.submit(who, made.pk, [order], "k", at)
    jobs.cancel(who, first.pk, at)
    end = at + retention.term(retention.Term.IDEMPOTENCY_KEY)
    before, _ = jobs.submit(who, made.pk, [order], "k", end - timedelta(seconds=1))
    after, new = jobs.submit(who, made.pk, [order], "k", end)
    assert before.pk == first.pk
    assert new
    assert after.pk != first.pk


def test_upkeep_drops_keys_that_are_a_day_old() -> None:
    who, order, at = consenting(), jobs.Order(style().slug), now()
    job, _ = jobs.submit(who, set_with_photo(who).pk, [order], "k", at)
    end = at + retention.term(retention.Term.IDEMPOTENCY_KEY)
    terms.end(end - timedelta(seconds=1), only=["idempotency_keys"])
    job.refresh_from_db()
    assert job.key_sha256 is not None
    terms.end(end, only=["idempotency_keys"])
    job.refresh_from_db()
    assert job.key_sha256 is None


def test_the_words_of_a_key_are_not_kept() -> None:
    who, key = consenting(), f"Ada Lovelace {uuid.uuid4()}"
    jobs.submit(who, set_with_photo(who).pk, [jobs.Order(style().slug)], key, now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM portraits_job t WHERE owner_id = %s", [who])
        ((row,),) = cursor.fetchall()
    assert key not in row
    assert key.encode().hex() not in row
