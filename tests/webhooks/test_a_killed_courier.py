"""SIGKILL while the endpoint has the letter and has not answered yet."""

import json
import os
import subprocess
import sys
import threading
from signal import SIGKILL

from django.db import close_old_connections

from portraits import events, telling
from portraits.models import Event
from privacy import leases
from privacy.models import Lease
from tests.chaos.person import wait
from tests.portraits.making import lapse
from tests.webhooks.conftest import NEW
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_courier import Start, told
from workers import outside


def dying(url: str) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "SITTER_ROLE": "courier",
        "SITTER_WEBHOOK_URL": url,
        "SITTER_WEBHOOK_KEYS": json.dumps([NEW]),
        "SITTER_WEBHOOK_INSECURE": "1",
        "SITTER_WEBHOOK_PRIVATE": "1",
    }
    argv = [sys.executable, "-m", "tests.webhooks.dying"]
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)


def test_what_a_killed_courier_had_in_hand_is_told_again_under_the_same_id(
    courier: Start, receiver: Receiver
) -> None:
    run = courier(receiver.url)
    [pk] = told()
    receiver.pause = 5
    with dying(receiver.url) as process:
        wait("the letter is there", lambda: receiver.letters, seconds=30)
        process.send_signal(SIGKILL)
    # Nobody else takes it while the lease runs, and the lease outlives the longest call.
    assert telling.claim() is None
    held = Lease.objects.get(kind=events.LEASE, work_id=pk)
    assert held.held_until is not None
    assert leases.HELD_FOR.total_seconds() > outside.TOTAL_SECONDS
    assert Event.objects.get(pk=pk).state == "waiting"
    receiver.pause = 0
    lapse(leases.Claim(events.LEASE, pk, held.owner_id, held.token, held.attempts))
    assert run.run() == 1
    assert receiver.ids == [str(pk)] * 2
    assert Event.objects.get(pk=pk).state == "delivered"


def test_a_draining_courier_that_is_asked_to_leave_leaves(
    courier: Start, receiver: Receiver
) -> None:
    """It does not carry a thousand letters first."""
    ids = told(30)
    receiver.pause = 0.2
    run = courier(receiver.url)

    def work() -> None:
        try:
            run.run()
        finally:
            close_old_connections()

    drain = threading.Thread(target=work)
    drain.start()
    wait("it is under way", lambda: receiver.letters, seconds=10)
    run.leave()
    drain.join(5)
    assert not drain.is_alive()
    assert 0 < len(receiver.letters) < len(ids)
    left = Event.objects.filter(pk__in=ids, state="waiting").count()
    assert left == len(ids) - len(receiver.letters)
