"""Only whoever knows the token; they are told of nobody; and asking often costs little."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from deploy.contract.files import WRITTEN
from deploy.gate import gate
from deploy.metrics import collector, families, view
from deploy.stack.supervisor import Stack
from tests.metrics.scrape import Scrape

TOKEN = "a token of the tests"


def ask(token: str = TOKEN, **headers: str) -> Any:
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}", **headers})


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer of an earlier test is told again."""
    monkeypatch.setattr(view, "kept", view.Kept())


@pytest.fixture
def token(settings_of: Any) -> None:
    """The installation has one."""
    settings_of(METRICS_TOKEN=TOKEN)


def test_without_a_token_of_the_installation_the_address_does_not_exist() -> None:
    assert ask().status_code == 404
    assert ask("").status_code == 404
    assert ask("None").status_code == 404


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("said", ["", "a token of the test", f"{TOKEN} ", TOKEN.upper(), "ü"])
def test_a_wrong_token_is_refused(said: str) -> None:
    answer = ask(said)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["errors"][0]["code"] == "not_authenticated"
    assert b"sitter_" not in answer.content


@pytest.mark.usefixtures("token")
def test_the_right_token_is_told_everything_and_no_cache_keeps_it() -> None:
    answer = ask()
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["Cache-Control"] == "no-store"
    assert Scrape(answer.content.decode()).value("metrics_part_failed", part="waiting") == 0


@pytest.mark.usefixtures("token")
def test_many_who_ask_at_once_cost_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = []

    def slow() -> bytes:
        readings.append(threading.get_ident())
        time.sleep(0.2)
        return b"told"

    monkeypatch.setattr(collector, "text", slow)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: view.kept.text(), range(40)))
    assert set(answers) == {b"told"}
    assert len(readings) == 1


@pytest.mark.usefixtures("token")
def test_nobody_queues_up_behind_a_reading_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "TURN_COMES_IN", 0.1)
    with view.kept._turn:
        answer = ask()
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "database_unavailable"


@pytest.mark.usefixtures("token")
def test_a_moment_later_it_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "FRESH_FOR", 0.0)
    first, second = (Scrape(ask().content.decode()).value("metrics_seconds") for _ in range(2))
    assert first != second


@pytest.mark.usefixtures("token", "something_of_everything")
def test_no_label_names_a_person_or_a_thing() -> None:
    told = Scrape(ask().content.decode())
    pairs = {pair for sample in told.samples for pair in sample.labels.items()}
    # An engine is named by staff; in these tests by chance.
    values = {value for label, value in pairs if label != "engine"}
    assert len(values) > 50
    assert {label for label, _ in pairs} <= families.LABELS
    looks_like_one = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|@|\d{6}")
    assert [value for value in values if looks_like_one.search(value)] == []


def test_a_label_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="people has a label"):
        families.gauge("people", "Nobody may be told of.", "owner", {"somebody": 1})


@pytest.mark.usefixtures("token")
def test_a_database_that_is_away_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: Any) -> None:
        raise OperationalError

    connection.close()
    monkeypatch.setattr(BaseDatabaseWrapper, "connect", away)
    monkeypatch.setattr(gate, "seen", None)
    answer = ask()
    assert answer.status_code == 200
    told = Scrape(answer.content.decode())
    assert told.value("need_met", need="database") == 0
    assert told.value("ready") == 0
    assert told.value("metrics_part_failed", part="waiting") == 1
    assert "sitter_items_open" not in told.names


@pytest.mark.usefixtures("token")
def test_a_part_that_takes_too_long_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(now: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")
        return ()

    monkeypatch.setattr(collector, "STATEMENT_TIMEOUT", "200ms")
    monkeypatch.setitem(collector.PARTS, "webhook", slow)
    told = Scrape(ask().content.decode())
    assert told.value("metrics_part_failed", part="webhook") == 1
    assert told.value("metrics_part_failed", part="waiting") == 0


def test_reading_the_metrics_can_write_nothing() -> None:
    def write(now: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE privacy_period SET slot = slot + 1")
        return ()

    assert collector._read("a part", write, None) is None  # type: ignore[arg-type]


def test_it_is_no_part_of_the_public_contract() -> None:
    assert "/metrics" not in WRITTEN.read_text()


def test_the_webs_own_login_can_read_all_of_it(live: Stack) -> None:
    address = f"{live.urls.web}/metrics"
    told = Scrape(httpx.get(address, headers={"Authorization": "Bearer a-token-of-the-tests"}).text)
    failed = {s.labels["part"]: s.value for s in told.samples if "part_failed" in s.name}
    assert failed == dict.fromkeys(collector.PARTS, 0.0)
    assert told.value("ready") == 1
    assert (told.value("database_connections", login="gpu") or 0) >= 1
