"""What is counted in Valkey: never one more than is there, however many ask at once."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st
from rest_framework.test import APIClient

from privacy import limits, valkey
from privacy.api import throttle
from privacy.errors import NotReady, TooManyRequests
from privacy.limits import Bucket, take
from tests.figures import figure

START = datetime(2031, 3, 3, 12, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def bucket(limit: int, who: str = "") -> Bucket:
    return Bucket("test", who or uuid.uuid4().hex, limit, MINUTE)


@pytest.fixture
def valkey_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "BROKER_URL", "redis://127.0.0.1:1/0")
    _forget()
    yield
    _forget()


def _forget() -> None:
    limits._script.cache_clear()
    valkey.client.cache_clear()


def test_two_hundred_at_once_get_no_more_than_are_there() -> None:
    limit, attempts = 50, 200
    only = bucket(limit)
    with ThreadPoolExecutor(attempts) as crowd:
        waits = list(crowd.map(lambda _: take([only], START), range(attempts)))
    passed = waits.count(0)
    figure(
        "A-03",
        value=passed - limit,
        n=attempts,
        holds=passed == limit,
        conditions=f"{attempts} threads, {limit} tokens, one Valkey",
    )
    assert passed == limit
    assert set(waits) == {0, 2}  # 60 s / 50, rounded up


@tries(max_examples=60, deadline=None)
@given(limit=st.integers(1, 9), pauses=st.lists(st.floats(0, 45), min_size=1, max_size=40))
def test_no_stretch_of_time_holds_more_than_a_full_bucket_and_what_flows_in(
    limit: int, pauses: list[float]
) -> None:
    only, at, passed = bucket(limit), START, []
    for pause in pauses:
        at += timedelta(seconds=pause)
        wait = take([only], at)
        if wait == 0:
            passed.append(at)
            continue
        assert take([only], at) == wait, "a refusal counts nothing"
        at += timedelta(seconds=wait)
        assert take([only], at) == 0, "whoever waits as they were told is let through"
        passed.append(at)
    for first, start in enumerate(passed):
        for last, end in enumerate(passed[first:], first):
            flowed = (end - start) / (MINUTE / limit)
            assert last - first + 1 <= limit + flowed + 1e-3


def test_what_one_bucket_refuses_is_taken_from_none() -> None:
    mine, everybodys = bucket(1), bucket(5)
    assert take([mine, everybodys], START) == 0
    for _ in range(10):
        assert take([mine, everybodys], START) == 60
    assert [take([everybodys], START) for _ in range(5)] == [0, 0, 0, 0, 12]


def test_a_key_names_nobody_and_is_another_one_each_day() -> None:
    one = bucket(5, "2001:db8::7")
    today, tomorrow = one.key(START), one.key(START + timedelta(days=1))
    assert today != tomorrow
    assert one.who not in today + tomorrow
    assert one.who.encode().hex() not in today + tomorrow
    assert take([one], START) == 0
    assert 0 < valkey.client().pttl(today) <= 12_000  # gone once it is full again


@pytest.mark.usefixtures("valkey_away")
def test_what_cannot_be_counted_is_said() -> None:
    with pytest.raises(NotReady):
        take([bucket(1)], START)


# --- Requests -------------------------------------------------------------------------------------


def test_a_person_has_two_devices_and_an_address_many_people(settings_of: Any) -> None:
    settings_of(REQUESTS_A_MINUTE=3)
    person, phone, address = (uuid.uuid4().hex for _ in range(3))
    for _ in range(3):
        throttle.admit(person, phone, address)
    with pytest.raises(TooManyRequests) as refused:
        throttle.admit(person, phone, address)
    assert refused.value.retry_after == 20
    for _ in range(3):
        throttle.admit(person, "the other one", address)
    with pytest.raises(TooManyRequests):
        throttle.admit(person, "a third", address)
    throttle.admit("somebody else", uuid.uuid4().hex, address)


def get(address: str) -> Any:
    return APIClient(HTTP_HOST="localhost", REMOTE_ADDR=address).get("/v1/styles")


def test_who_runs_wild_is_told_when_to_come_back(born: Any, settings_of: Any) -> None:
    born("web")
    settings_of(REQUESTS_A_MINUTE=2)
    number = uuid.uuid4().int
    wild, calm = f"2001:db8::{number % 0xFFFF:x}", f"2001:db8:1::{number % 0xFFFF:x}"
    assert [get(wild).status_code for _ in range(3)] == [200, 200, 429]
    answer = get(wild)
    (said,) = answer.json()["errors"]
    assert said["code"] == "too_many_requests"
    assert 0 < int(answer.headers["Retry-After"]) <= 30
    assert get(calm).status_code == 200


def test_the_limit_can_be_switched_off(settings_of: Any) -> None:
    settings_of(REQUESTS_A_MINUTE=0)
    for _ in range(50):
        throttle.admit("somebody", "their phone", "2001:db8::1")


@pytest.mark.usefixtures("valkey_away")
def test_without_valkey_requests_pass(born: Any, settings_of: Any) -> None:
    born("web")
    settings_of(REQUESTS_A_MINUTE=1)
    assert [get("2001:db8::1").status_code for _ in range(3)] == [200, 200, 200]
