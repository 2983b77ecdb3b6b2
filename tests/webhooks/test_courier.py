"""The courier against endpoints that behave and endpoints that do not."""

import json
import logging
import ssl
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import close_old_connections
from standardwebhooks import Webhook, WebhookVerificationError

from portraits import events, telling
from portraits.models import Event
from privacy import erasure, leases
from privacy.circuit import PATIENCE
from privacy.errors import NotReady
from privacy.models import Lease, Pulse
from tests.portraits.making import consenting, lapse, now
from tests.webhooks.authority import issue
from tests.webhooks.conftest import NEW, OLD
from tests.webhooks.receiver import Receiver, rude, serving
from workers import courier as ours
from workers import outside

Start = Callable[..., Any]
PAST = datetime(2020, 1, 1, tzinfo=UTC)
SHORT = "whsec_" + "bmV3" * 7
LONG = "whsec_" + "bmV3" * 22


def told(count: int = 1) -> list[uuid.UUID]:
    """Events of one fresh person, waiting; their ids in the order of noting."""
    who = consenting()
    for number in range(count):
        events.note(
            *(Event.Type.ITEM_ENDED, who, uuid.uuid4(), now()),
            job_id=uuid.uuid4(), outcome="done", sequence=number,
        )  # fmt: skip
    return list(Event.objects.filter(owner_id=who).order_by("pk").values_list("pk", flat=True))


def event(pk: uuid.UUID) -> Event:
    return Event.objects.get(pk=pk)


def wait_of(pk: uuid.UUID) -> timedelta:
    """How long until it is tried again."""
    return Lease.objects.get(kind=events.LEASE, work_id=pk).ready_at - now()


def pass_time(pk: uuid.UUID) -> None:
    Lease.objects.filter(kind=events.LEASE, work_id=pk).update(ready_at=PAST)


def forget_failures() -> None:
    """The endpoint's rest is over."""
    assert ours._endpoint is not None
    ours._endpoint.circuit.succeeded()


# --- The letter ----------------------------------------------------------------------------------


def test_an_event_arrives_signed_and_with_ids_only(courier: Start, receiver: Receiver) -> None:
    [pk] = told()
    assert courier(receiver.url).run() == 1
    [(headers, body)] = receiver.letters
    told_event = event(pk)
    said = Webhook(NEW).verify(body, headers)
    assert said == {
        "type": "item.ended",
        "timestamp": told_event.created_at.isoformat(),
        "data": {
            "id": str(told_event.object_id),
            "owner": str(told_event.owner_id),
            "job": str(told_event.job_id),
            "state": "done",
            "sequence": 0,
        },
    }
    assert headers["webhook-id"] == str(pk)
    assert headers["content-type"] == "application/json"
    assert (told_event.state, told_event.status) == ("delivered", 204)
    assert not Lease.objects.filter(kind=events.LEASE).exists()


def test_work_that_was_given_up_says_which_kind(courier: Start, receiver: Receiver) -> None:
    who, work = consenting(), uuid.uuid4()
    events.note(Event.Type.WORK_GIVEN_UP, who, work, now(), outcome="reference")
    courier(receiver.url).run()
    said = json.loads(receiver.letters[0][1])
    assert said["data"] == {"id": str(work), "owner": str(who), "work": "reference"}


def test_both_keys_sign_while_one_takes_over_from_the_other(
    courier: Start, receiver: Receiver
) -> None:
    told()
    courier(receiver.url, NEW, OLD).run()
    [(headers, body)] = receiver.letters
    assert headers["webhook-signature"].count("v1,") == 2
    for key in (NEW, OLD):
        Webhook(key).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "b2xf" * 11).verify(body, headers)


def test_a_changed_byte_is_noticed(courier: Start, receiver: Receiver) -> None:
    told()
    courier(receiver.url).run()
    [(headers, body)] = receiver.letters
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body.replace(b"done", b"dome"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, {**headers, "webhook-id": str(uuid.uuid4())})


def test_nothing_of_the_person_is_told_or_logged(
    courier: Start, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    from accounts.models import User

    caplog.set_level(logging.DEBUG)
    [pk] = told()
    receiver.answers, receiver.body = [500], b"canary-of-the-answer"
    run = courier(receiver.url + "?canary-of-the-url")
    run.run()
    pass_time(pk)
    run.run()
    person = User.objects.get(pk=event(pk).owner_id)
    seen = caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    assert "webhook" in seen
    for word in (person.email, "canary-of-the-answer", "canary-of-the-url", NEW, NEW[6:]):
        assert word not in seen
    letters = repr(receiver.letters)
    assert person.email not in letters
    assert NEW[6:] not in letters
    ids = {str(person.pk), str(event(pk).object_id), str(event(pk).job_id)}
    data = json.loads(receiver.letters[0][1])["data"]
    assert set(data.values()) == {*ids, "done", 0}


def test_it_goes_over_tls_to_an_authority_that_is_known(
    courier: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, certificate = issue(tmp_path)
    found = Receiver()
    with serving(found, certificate=certificate):
        [pk] = told()
        run = courier(found.url)
        run.run()
        assert found.letters == []
        assert event(pk).state == "waiting"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        pass_time(pk)
        courier(found.url).run()
    Webhook(NEW).verify(found.letters[0][1], found.letters[0][0])
    assert event(pk).state == "delivered"


# --- What an answer means ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (200, "delivered"), (299, "delivered"), (302, "redirected"), (308, "redirected"),
        (400, "refused"), (401, "refused"), (404, "refused"), (410, "gone"), (429, "busy"),
        (500, "failing"), (503, "busy"), (102, "failing"), (999, "failing"),
    ],
)  # fmt: skip
def test_an_answer_has_one_meaning(status: int, word: str) -> None:
    assert ours.meaning(status) == word


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_what_is_no_yes_is_tried_again(courier: Start, receiver: Receiver, status: int) -> None:
    [pk] = told()
    receiver.answers = [status]
    run = courier(receiver.url)
    run.run()
    assert (event(pk).state, event(pk).status) == ("waiting", status)
    assert timedelta(seconds=4) < wait_of(pk) <= telling.PAUSES[0] * (1 + telling.JITTER)
    assert run.run() == 0
    pass_time(pk)
    assert run.run() == 1
    assert (event(pk).state, event(pk).status) == ("delivered", 204)
    # Told twice, and whoever hears it twice knows that it is the same.
    assert receiver.ids == [str(pk)] * 2
    assert receiver.letters[0][1] == receiver.letters[1][1]


def test_a_redirect_is_not_followed(courier: Start, receiver: Receiver) -> None:
    elsewhere = Receiver()
    with serving(elsewhere):
        receiver.status, receiver.headers = 307, {"Location": elsewhere.url}
        [pk] = told()
        courier(receiver.url).run()
    assert elsewhere.letters == []
    assert event(pk).status == 307


def test_who_is_gone_is_not_asked_again(courier: Start, receiver: Receiver) -> None:
    receiver.status = 410
    [pk] = told()
    courier(receiver.url).run()
    assert (event(pk).state, event(pk).status) == ("given_up", 410)
    assert not Lease.objects.filter(kind=events.LEASE).exists()
    assert events.backlog(now())["webhooks_given_up"] == 1


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_for_time_gets_it(courier: Start, receiver: Receiver, status: int) -> None:
    receiver.answers, receiver.headers = [status], {"Retry-After": "120"}
    first, second = told(2)
    run = courier(receiver.url)
    assert run.run() == 1
    assert timedelta(seconds=100) < wait_of(first) <= timedelta(seconds=120)
    # The whole endpoint is left alone, not only this event.
    assert timedelta(seconds=100) < wait_of(second) <= timedelta(seconds=120)


def test_nobody_gets_more_time_than_an_hour(courier: Start, receiver: Receiver) -> None:
    receiver.answers, receiver.headers = [429], {"Retry-After": "99999999"}
    [pk] = told()
    courier(receiver.url).run()
    assert timedelta(minutes=59) < wait_of(pk) <= timedelta(hours=1)


def test_only_who_is_busy_may_ask_for_time(courier: Start, receiver: Receiver) -> None:
    receiver.answers, receiver.headers = [500], {"Retry-After": "3000"}
    [pk] = told()
    courier(receiver.url).run()
    assert wait_of(pk) < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("says", "each", "code"),
    [
        (b"x", 60, "timed_out"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 200, 0.05, "timed_out"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", None, "not_http"),
    ],
    ids=["hangs", "drips", "no http"],
)
def test_a_bad_endpoint_costs_one_try_and_is_named(
    courier: Start,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    says: bytes,
    each: float | None,
    code: str,
) -> None:
    monkeypatch.setattr(
        outside.post, "__kwdefaults__", {"context": None, "seconds": 0.6, "keep": 0}
    )
    caplog.set_level(logging.INFO)
    [pk] = told()
    with rude(says=says, each=each) as port:
        assert courier(f"http://127.0.0.1:{port}/").run() == 1
    assert event(pk).status is None
    assert event(pk).state == "waiting"
    assert code in caplog.text


def test_an_endpoint_at_a_private_address_is_never_called(
    courier: Start, receiver: Receiver, settings_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    [pk] = told()
    courier(receiver.url)
    settings_of(WEBHOOK_PRIVATE=False)
    ours.start()
    assert ours.run() == 1
    assert receiver.letters == []
    assert "private_address" in caplog.text
    assert event(pk).state == "waiting"


def test_a_target_that_is_down_for_hours_hears_of_it_in_the_end(
    courier: Start, receiver: Receiver
) -> None:
    [pk] = told()
    run = courier(receiver.url)
    receiver.answers = [500] * len(telling.PAUSES)
    for pause in telling.PAUSES:
        assert run.run() == 1
        assert pause * 0.9 < wait_of(pk) <= pause * (1 + telling.JITTER)
        pass_time(pk)
        forget_failures()
    assert run.run() == 1
    assert event(pk).state == "delivered"
    assert receiver.ids == [str(pk)] * 10


def test_a_target_that_never_comes_back_is_given_up_aloud(
    courier: Start, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    [pk] = told()
    run = courier(receiver.url)
    receiver.status = 500
    for _ in range(len(telling.PAUSES) + 1):
        assert event(pk).state == "waiting"
        assert run.run() == 1
        pass_time(pk)
        forget_failures()
    assert (event(pk).state, event(pk).status) == ("given_up", 500)
    assert event(pk).ended_at is not None
    assert run.run() == 0
    assert "webhook_given_up" in caplog.text


# --- Several at once -----------------------------------------------------------------------------


def test_two_couriers_never_tell_the_same_event_at_the_same_time(
    courier: Start, receiver: Receiver
) -> None:
    ids = told(20)
    receiver.pause = 0.05
    run = courier(receiver.url)

    def one(_: int) -> int:
        try:
            return int(run.run())
        finally:
            close_old_connections()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 20
    assert sorted(receiver.ids) == sorted(map(str, ids))
    assert receiver.most_at_once > 1


def test_a_courier_that_was_taken_for_dead_changes_nothing(courier: Start) -> None:
    [pk] = told()
    first = telling.claim()
    assert first is not None
    assert telling.claim() is None
    lapse(first.held)
    second = telling.claim()
    assert second is not None
    assert not telling.delivered(first.held, 204, now())
    assert not telling.give_up(first.held, 500, now())
    assert telling.again(first.held, 500, now())
    assert (event(pk).state, event(pk).status) == ("waiting", None)
    assert telling.delivered(second.held, 200, now())


def test_who_is_erased_while_it_is_told_stays_erased(courier: Start) -> None:
    [pk] = told()
    errand = telling.claim()
    assert errand is not None
    erasure.request(errand.held.owner_id, now())
    assert not telling.delivered(errand.held, 204, now())
    assert event(pk).state == "waiting"
    assert telling.claim() is None


def test_a_lease_without_its_event_is_closed(courier: Start, receiver: Receiver) -> None:
    lost, [pk] = uuid.uuid4(), told()
    leases.open_work(events.LEASE, lost, uuid.uuid4())
    Lease.objects.filter(work_id=lost).update(ready_at=PAST)
    assert courier(receiver.url).run() == 1
    assert receiver.ids == [str(pk)]
    assert not Lease.objects.filter(work_id=lost).exists()


def test_an_old_pulse_stops_the_courier(courier: Start, receiver: Receiver) -> None:
    """A database from a backup, or one in which nobody carries out erasures."""
    told()
    run = courier(receiver.url)
    Pulse.objects.update(at=now() - telling.PULSE_FRESH)
    assert run.run() == 0
    assert receiver.letters == []
    Pulse.objects.update(at=now())
    assert run.run() == 1


def test_a_courier_that_leaves_begins_nothing_more(courier: Start, receiver: Receiver) -> None:
    told(3)
    run = courier(receiver.url)
    run.leave()
    assert run.run() == 0
    assert receiver.letters == []


# --- An endpoint that fails again and again ------------------------------------------------------


def test_a_failing_endpoint_is_left_alone_as_a_whole(courier: Start, receiver: Receiver) -> None:
    ids = told(50)
    receiver.status = 500
    run = courier(receiver.url)
    assert run.run() == PATIENCE
    assert run.run() == 0
    assert len(receiver.letters) == PATIENCE
    for pk in ids[PATIENCE:]:
        assert timedelta(seconds=25) < wait_of(pk) <= timedelta(seconds=ours.FIRST_REST)
    # What comes meanwhile is put off too.
    [fresh] = told()
    assert run.run() == 0
    assert wait_of(fresh) > timedelta(seconds=20)
    assert len(receiver.letters) == PATIENCE


def test_after_the_rest_one_looks_and_all_follow(courier: Start, receiver: Receiver) -> None:
    told(12)
    receiver.status = 500
    run = courier(receiver.url)
    clock = [1000.0]
    circuit = ours._endpoint.circuit if ours._endpoint else None
    assert circuit is not None
    circuit.clock = lambda: clock[0]
    run.run()
    assert len(receiver.letters) == PATIENCE
    for rest in (30.0, 60.0, 120.0):
        assert (circuit.enter(), circuit.rest()) == (False, rest)
        clock[0] += rest
        Lease.objects.filter(kind=events.LEASE).update(ready_at=PAST)
        before = len(receiver.letters)
        assert run.run() == 1
        assert len(receiver.letters) == before + 1
    clock[0] += 240
    receiver.status = 204
    Lease.objects.filter(kind=events.LEASE).update(ready_at=PAST)
    assert run.run() == 12
    assert not Lease.objects.filter(kind=events.LEASE).exists()


def test_what_waits_for_hours_is_told_as_soon_as_the_endpoint_is_back(
    courier: Start, receiver: Receiver
) -> None:
    [tired] = told()
    run = courier(receiver.url)
    Lease.objects.filter(work_id=tired).update(attempts=8)
    receiver.status = 500
    run.run()
    told(PATIENCE)
    run.run()
    assert len(receiver.letters) == PATIENCE
    assert wait_of(tired) > timedelta(hours=5)
    receiver.status = 204
    assert ours._endpoint is not None
    ours._endpoint.circuit.until = 0.0
    Lease.objects.filter(kind=events.LEASE).exclude(work_id=tired).update(ready_at=PAST)
    assert run.run() == PATIENCE + 1
    assert event(tired).state == "delivered"


# --- The settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        ({"WEBHOOK_URL": None}, "SITTER_WEBHOOK_URL"),
        ({"WEBHOOK_URL": "http://push.example.org/", "WEBHOOK_INSECURE": False}, "https://"),
        ({"WEBHOOK_URL": "https://a:b@push.example.org/"}, "SITTER_WEBHOOK_URL"),
        ({"WEBHOOK_KEYS": []}, "SITTER_WEBHOOK_KEYS"),
        ({"WEBHOOK_KEYS": [SHORT]}, "SITTER_WEBHOOK_KEYS"),
        ({"WEBHOOK_KEYS": [LONG]}, "SITTER_WEBHOOK_KEYS"),
        ({"WEBHOOK_KEYS": [NEW.removeprefix("whsec_")]}, "SITTER_WEBHOOK_KEYS"),
        ({"WEBHOOK_KEYS": ["whsec_%%%"]}, "SITTER_WEBHOOK_KEYS"),
        ({"WEBHOOK_KEYS": ["whsec_müll"]}, "SITTER_WEBHOOK_KEYS"),
        ({"WEBHOOK_KEYS": [NEW, OLD, NEW]}, "SITTER_WEBHOOK_KEYS"),
        ({"WEBHOOK_KEYS": [NEW, SHORT]}, "SITTER_WEBHOOK_KEYS"),
    ],
)
def test_a_bad_setting_refuses_to_start_by_name(
    courier: Start, settings_of: Any, changed: dict[str, Any], setting: str
) -> None:
    courier("http://127.0.0.1:1/")
    settings_of(**changed)
    with pytest.raises(NotReady, match=setting) as caught:
        ours.start()
    for key in changed.get("WEBHOOK_KEYS", []):
        assert key not in str(caught.value)


def test_keys_do_not_show_when_the_endpoint_is_printed(courier: Start) -> None:
    courier("http://127.0.0.1:1/")
    assert "newnew" not in repr(ours._endpoint)


def test_a_courier_that_was_not_started_says_so(
    monkeypatch: pytest.MonkeyPatch, noting: None
) -> None:
    monkeypatch.setattr(ours, "_endpoint", None)
    with pytest.raises(NotReady, match="not started"):
        ours.run()


def test_the_trust_is_the_machines_own(courier: Start) -> None:
    courier("http://127.0.0.1:1/")
    assert ours._endpoint is not None
    assert ours._endpoint.tls.verify_mode is ssl.CERT_REQUIRED
    assert ours._endpoint.tls.check_hostname
