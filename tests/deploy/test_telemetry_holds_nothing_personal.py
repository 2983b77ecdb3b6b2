"""Traces and error reports on the wire: what failed and where, and nobody's words."""

import atexit
import io
import json
import logging
import subprocess
import sys
import uuid
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import sentry_sdk
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from sentry_sdk.utils import event_from_exception

from deploy import logs, telemetry
from deploy.env import ROOT, Role
from deploy.gate import gate
from deploy.prove.search import Search
from deploy.stack.supervisor import Stack
from deploy.telemetry.traces import NAMES
from tests.deploy.failing import CANARY, DOORS, FAILURES
from tests.deploy.wires import Wires, open_wires, told
from tests.figures import figure

ADDRESS = "203.0.113.77"
# The names that a span's attributes may have.
ATTRIBUTES = {NAMES.get(key, f"sitter.{key}") for key in logs.ALLOWED}


@pytest.fixture
def wires(settings_of: Any) -> Iterator[Wires]:
    """Both are on in this process, and read its log lines as they are written."""
    logs.configure("INFO")
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    before = handler.setStream(stream)
    with open_wires() as wires:
        settings_of(OTLP_ENDPOINT=wires.otlp_endpoint, SENTRY_DSN=wires.dsn, BUILD="abc123")
        telemetry.start()
        yield wires
        for listener in logs.listeners:
            close: Any = listener
            close.close()
            atexit.unregister(close.close)
        logs.listeners.clear()
    handler.setStream(before or stream)
    logs.configure("WARNING")


def flush() -> None:
    for listener in logs.listeners:
        sender: Any = listener
        sender.flush()


def words() -> Search:
    search = Search()
    search.add_texts({"canary": CANARY, "address": ADDRESS})
    return search


def provoke(name: str, door: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - ten sorts
        FAILURES[name](CANARY)
    try:
        raise caught.value
    except type(caught.value) as error:
        door(error, CANARY)
    assert isinstance(caught.value, Exception)
    return caught.value


def test_thirty_failures_are_told_of_and_quote_nobody(wires: Wires) -> None:
    errors = [provoke(name, door) for name, door in product(FAILURES, DOORS)]
    flush()
    reports = wires.reports
    found = wires.hold(words())
    figure(
        "canary-reports",
        value=len(found),
        n=len(errors),
        holds=not found and len(reports) == len(errors) == 30,
        conditions="ten sorts of failure by three doors, each quoting somebody in its message and"
        " its locals; bytes as they arrive at a collector and at a Sentry on this machine",
    )
    assert found == set()
    assert len(reports) == 30
    raised = [report["exception"]["values"][0] for report in reports]
    assert {one["type"] for one in raised} == {type(error).__name__ for error in errors}
    places = {one["stacktrace"]["frames"][0]["filename"] for one in raised}
    assert places == {"test_telemetry_holds_nothing_personal.py"}


def test_as_they_come_both_libraries_would_have_told_it_all(wires: Wires) -> None:
    """The control: without our fence, the same search finds the words in both."""
    with pytest.raises(ValueError, match="There is no") as caught:
        FAILURES["an error of ours"](CANARY)
    usual = sentry_sdk.Client(dsn=wires.dsn, default_integrations=False)
    event, hint = event_from_exception(caught.value, client_options=usual.options)
    usual.capture_event(event, hint)
    usual.close(timeout=2.0)
    assert wires.hold(words()) != set()
    wires.sentry.letters.clear()
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{wires.otlp_endpoint}/v1/traces")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    span = provider.get_tracer("usual").start_span("failing")
    span.record_exception(caught.value)
    span.end()
    provider.shutdown()
    assert wires.hold(words()) != set()


@pytest.mark.parametrize("path", ["/readyz", "/v1/face-claims"])
def test_a_request_that_fails_is_told_of_by_its_pattern(
    path: str, wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(*_: Any, **said: Any) -> None:
        raise ValueError(f"Somebody sent {CANARY} {said}")

    monkeypatch.setattr(gate, "seen", 1)
    monkeypatch.setattr("deploy.health.without_ledger", strange)
    monkeypatch.setattr("privacy.claims.receive", strange)
    client = Client(
        HTTP_HOST="localhost", REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=CANARY, HTTP_COOKIE=CANARY,
        HTTP_X_FORWARDED_FOR=ADDRESS, HTTP_X_SESSION_TOKEN=CANARY, raise_request_exception=False,
    )  # fmt: skip
    body = json.dumps({"contact": CANARY, "words": f"It is my face, {CANARY}", "language": "en"})
    asked = f"{path}?who={CANARY}"
    if path == "/readyz":
        answer = client.get(asked)
    else:
        answer = client.post(asked, body, content_type="application/json")
    assert answer.status_code == 500, answer.content
    flush()
    assert wires.hold(words()) == set()
    [span] = [one for one in wires.spans if one.name.endswith(path.lstrip("/"))]
    assert told(span)["http.response.status_code"] == 500
    assert span.trace_id.hex() == answer["X-Request-Id"]
    assert span.status.code == 2, "an error"


def test_a_task_that_fails_is_told_of_without_its_arguments(
    wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers import intake, tasks

    def strange() -> None:
        raise ValueError(f"Somebody sent {CANARY}")

    monkeypatch.setattr(intake, "run", strange)
    tasks.check_reference.apply(args=(CANARY,))
    flush()
    [report] = wires.reports
    assert report["exception"]["values"][0]["type"] == "ValueError"
    assert report["logger"] == "celery.app.trace"
    assert wires.hold(words()) == set()


def test_nothing_is_sent_but_what_may_be_logged(wires: Wires) -> None:
    logging.getLogger("ours").error("it_failed", extra={"who": CANARY, "code": "storage"})
    structlog.get_logger("ours").info("it_took", seconds=0.5, engine="pocket", email=CANARY)
    Client(HTTP_HOST="localhost").get("/livez")
    flush()
    [report] = wires.reports
    assert set(report) <= {
        "event_id", "timestamp", "platform", "level", "logger", "logentry", "tags", "fingerprint",
        "release", "server_name",
    }  # fmt: skip
    assert report["tags"] == {"code": "storage"}
    assert (report["server_name"], report["release"]) == ("migrator", "sitter@0.2.0+abc123")
    spans = {span.name: told(span) for span in wires.spans}
    assert spans["it_took"] == {"sitter.engine": "pocket"}
    assert spans["GET livez"].keys() <= ATTRIBUTES
    assert wires.about() == {
        "service.name": "sitter", "service.version": "0.2.0", "sitter.role": "migrator",
    }  # fmt: skip


def test_a_job_has_one_trace_whoever_works_on_it_and_nothing_travels_in_a_message(
    wires: Wires,
) -> None:
    request, job, item = (uuid.uuid4() for _ in range(3))
    log = structlog.get_logger("ours")
    with structlog.contextvars.bound_contextvars(request_id=request.hex):
        log.info("job_submitted", job_id=str(job))
        log.info("request", method="POST", route="v1/jobs", status=202, seconds=0.02)
    log.info("item_ended", job_id=str(job), item_id=str(item), state="done", seconds=1.5)
    log.info("without_a_length", job_id=str(job))
    flush()
    spans = {span.name: span for span in wires.spans}
    assert spans.keys() == {"job_submitted", "POST v1/jobs", "item_ended"}
    begun, asked, ended = (spans[n] for n in ("job_submitted", "POST v1/jobs", "item_ended"))
    assert begun.trace_id == ended.trace_id == job.bytes
    assert ended.parent_span_id == begun.span_id
    assert asked.trace_id == request.bytes
    assert [(link.trace_id, link.span_id) for link in begun.links] == [
        (asked.trace_id, asked.span_id)
    ]
    taken = ended.end_time_unix_nano - ended.start_time_unix_nano
    assert abs(taken - 1.5e9) < 1e6
    assert told(ended)["sitter.item_id"] == str(item)


def test_a_collector_and_a_sentry_that_are_away_stop_nothing(
    wires: Wires, settings_of: Any
) -> None:
    wires.collector.status = wires.sentry.status = 503
    for _ in range(3):
        logging.getLogger("ours").error("it_failed", extra={"seconds": 0.1})
    flush()
    # What the libraries say of it is not told to them again.
    assert len(wires.reports) <= 3
    logging.getLogger("sentry_sdk.errors").error("could not send")
    logging.getLogger("opentelemetry.sdk").error("could not export")
    flush()
    assert {report["logger"] for report in wires.reports} == {"ours"}


def test_a_listener_that_breaks_breaks_no_line(
    wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(line: logs.Line) -> None:
        raise RuntimeError

    logs.listeners.insert(0, broken)
    try:
        logging.getLogger("ours").error("it_failed")
    finally:
        logs.listeners.remove(broken)
    flush()
    assert len(wires.reports) == 1


# --- Off, unless they are switched on -------------------------------------------------------------


def test_both_are_off_by_default_and_their_libraries_not_loaded(stack: Stack) -> None:
    look = (
        "import sys, django; django.setup(); from deploy import logs;"
        # redis loads a part of the one where it is installed, and measures nothing unasked.
        " senders = {'opentelemetry.sdk.trace', 'opentelemetry.exporter.otlp', 'sentry_sdk'};"
        " print(len(logs.listeners), sorted(senders & {*sys.modules}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", look],
        cwd=ROOT,
        env=stack.env(Role.WEB),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout.strip() == "0 []"


@pytest.mark.parametrize(
    ("setting", "extra"), [("OTLP_ENDPOINT", "opentelemetry"), ("SENTRY_DSN", "sentry")]
)
def test_without_its_library_a_process_does_not_start(
    setting: str, extra: str, settings_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, said = telemetry.KINDS[setting]
    kinds = {setting: (module, "no_such_library.at_all", said)}
    monkeypatch.setattr(telemetry, "KINDS", kinds)
    settings_of(**{setting: "http://127.0.0.1:1"})
    with pytest.raises(ImproperlyConfigured, match=rf"SITTER_{setting}.*sitter\[{extra}\]"):
        telemetry.start()
    assert logs.listeners == []
