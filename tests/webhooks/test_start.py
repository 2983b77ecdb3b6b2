"""The courier's process: what it refuses to start with, and who else may not have its keys."""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from portraits import telling
from portraits.models import Event
from privacy import checks
from tests.portraits.making import now
from tests.privacy.test_checks import messages, starts
from tests.rules.test_a_role_names_what_is_missing import started
from tests.webhooks.conftest import NEW, OLD
from workers import courier

URL = "https://push.example.org/sitter"


# What else it refuses is tried without a process in test_courier.py.
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "SITTER_WEBHOOK_URL"),
        (
            {"SITTER_WEBHOOK_URL": URL, "SITTER_WEBHOOK_KEYS": '["whsec_c2hvcnQ="]'},
            "SITTER_WEBHOOK_KEYS",
        ),
    ],
)
def test_a_courier_that_cannot_work_does_not_start(
    stack: Stack, changed: dict[str, str], says: str
) -> None:
    ended = started(stack, Role.COURIER, **changed)
    assert ended.returncode == 1
    assert f"courier cannot start: {says}" in ended.stderr
    assert "c2hvcnQ" not in ended.stderr


@pytest.mark.parametrize("name", ["SITTER_WEBHOOK_INSECURE", "SITTER_WEBHOOK_PRIVATE"])
def test_production_refuses_what_is_for_development(name: str) -> None:
    ended = starts(
        SITTER_ROLE="courier",
        SITTER_PRODUCTION="1",
        SITTER_SECRET_KEY="x" * 40,
        SITTER_WEBHOOK_KEYS=json.dumps([NEW]),
        **{name: "1"},
    )
    assert ended.returncode != 0
    assert f"{name} must be false in production." in ended.stderr
    # A refusal quotes no setting, least of all a key that lies beside it.
    assert NEW[6:] not in ended.stderr


@pytest.mark.parametrize("name", [str(role) for role in Role])
def test_nobody_but_the_courier_may_hold_the_keys(role: Any, settings_of: Any, name: str) -> None:
    role(name)
    assert messages(checks.check_webhook) == []
    settings_of(WEBHOOK_KEYS=[NEW])
    refused = [f"The role {name} may not be given SITTER_WEBHOOK_KEYS."]
    assert messages(checks.check_webhook) == ([] if name == "courier" else refused)


def test_a_process_with_the_couriers_keys_does_not_start() -> None:
    ended = starts(SITTER_ROLE="beat", SITTER_WEBHOOK_KEYS=json.dumps([NEW]))
    assert ended.returncode != 0
    assert "The role beat may not be given SITTER_WEBHOOK_KEYS." in ended.stderr
    assert NEW[6:] not in ended.stderr


def test_the_fifteen_lines_of_the_docs_tell_genuine_messages_from_others() -> None:
    page = (ROOT / "deploy" / "docs" / "webhooks.md").read_text("utf-8")
    [source] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(source.splitlines()) <= 15
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102 - the page's own example
    event = Event(type="job.ended", owner_id=uuid.uuid4(), object_id=uuid.uuid4(), created_at=now())
    body = courier.body(event)
    keys = courier.secrets([NEW, OLD])
    headers = courier.headers(event, body, keys, now())
    assert names["genuine"](NEW, headers, body)
    assert names["genuine"](OLD, headers, body)
    assert not names["genuine"](NEW, headers, body + b" ")
    assert not names["genuine"]("whsec_" + "b2xf" * 11, headers, body)
    assert not names["genuine"](NEW, {**headers, "webhook-id": "another"}, body)
    old = courier.headers(event, body, keys, now() - timedelta(minutes=6))
    assert not names["genuine"](NEW, old, body)


def test_the_docs_table_of_retries_is_the_codes() -> None:
    page = (ROOT / "deploy" / "docs" / "webhooks.md").read_text("utf-8")
    assert "5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 3 h, 6 h and 12 h later" in " ".join(
        page.split()
    )
    units = {"s": 1, "min": 60, "h": 3600}
    said = re.findall(r"(\d+) (s|min|h)\b", page[page.index("tried again 5 s") :])
    pauses = [int(number) * units[unit] for number, unit in said[: len(telling.PAUSES)]]
    assert pauses == [pause.total_seconds() for pause in telling.PAUSES]
    for kind in Event.Type.values:
        assert f"| `{kind}` |" in page
