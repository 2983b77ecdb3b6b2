"""Spans for OpenTelemetry. A line that says how long something took is a span that has just ended.

A trace is named by what it is about: a job's by the job's id, a photo's by the photo's, a request's
by the id that its client was told. So an id that stands in a log or in a complaint opens the
trace, and nothing has to travel in a message to join the web's spans to a worker's.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
)

from deploy.logs import Line

PATH: Final = "/v1/traces"
PATIENCE: Final = 5
# What a line may be about, the first that it names.
SUBJECTS: Final = ("job_id", "work_id")
REQUEST: Final = "request_id"
# The names that the field has for these; others keep theirs, behind `sitter.`.
NAMES: Final = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
}
# They name the span, or are its times.
NOT_ATTRIBUTES: Final = frozenset({"event", "timestamp", "seconds", "level", "logger"})
BAD: Final = frozenset({"error", "critical"})
FAILING: Final = 500
LAST_64_BITS: Final = (1 << 64) - 1

_chosen: ContextVar[tuple[int, int] | None] = ContextVar("chosen", default=None)


class _Ids(RandomIdGenerator):
    """Random, unless the span that is being made has an id already."""

    def generate_trace_id(self) -> int:
        """128 bits."""
        chosen = _chosen.get()
        return chosen[0] if chosen else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """64 bits."""
        chosen = _chosen.get()
        return chosen[1] if chosen else super().generate_span_id()


class Listener:
    """Hears lines, and sends what has a length to a collector (OTLP over HTTP), in batches."""

    def __init__(self, endpoint: str, *, role: str, version: str, build: str) -> None:
        # Only what is said here: no detector may add the machine's name or its environment.
        about = {"service.name": "sitter", "service.version": version, "sitter.role": role}
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource(about), id_generator=_Ids(), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + PATH, timeout=PATIENCE)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("sitter", version)

    def __call__(self, line: Line) -> None:
        """One line, already stripped."""
        subject = _uuid(line, *SUBJECTS)
        request = _uuid(line, REQUEST)
        begins = subject is not None and request is not None
        if "seconds" not in line and not begins:
            return
        ended = time.time_ns()
        begun = ended - int(float(line.get("seconds", 0)) * 1e9)
        with _placed(subject, request) as (parent, links):
            span = self._tracer.start_span(
                _named(line),
                context=parent,
                kind=SpanKind.SERVER if line["event"] == "request" else SpanKind.INTERNAL,
                attributes=_attributes(line),
                links=links,
                start_time=begun,
            )
        if line.get("level") in BAD or _number(line.get("status")) >= FAILING:
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def flush(self) -> bool:
        """Send what waits, now."""
        return self._provider.force_flush(PATIENCE * 1000)

    def close(self) -> None:
        """Send what waits, and no more."""
        self._provider.shutdown()


def _uuid(line: Line, *keys: str) -> uuid.UUID | None:
    for key in keys:
        if key in line:
            try:
                return uuid.UUID(str(line[key]))
            except ValueError:
                return None
    return None


@contextmanager
def _placed(
    subject: uuid.UUID | None, request: uuid.UUID | None
) -> Iterator[tuple[Context, list[Link]]]:
    """(the parent, links) of the span that is made inside.

    A line of a request that names a subject begins the subject's trace, and links the request's;
    one without a request comes below that beginning, wherever it is written.
    """
    own: tuple[int, int] | None = None
    parent, links = Context(), []
    if subject is not None and request is not None:
        own = _ids(subject)
        links = [Link(_remote(request))]
    elif subject is not None:
        parent = trace.set_span_in_context(NonRecordingSpan(_remote(subject)), parent)
    elif request is not None:
        own = _ids(request)
    token = _chosen.set(own)
    try:
        yield parent, links
    finally:
        _chosen.reset(token)


def _ids(about: uuid.UUID) -> tuple[int, int]:
    """A UUID's last 64 bits are never all zero, which no span id may be."""
    return about.int, about.int & LAST_64_BITS


def _remote(about: uuid.UUID) -> SpanContext:
    trace_id, span_id = _ids(about)
    return SpanContext(
        trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )


def _named(line: Line) -> str:
    if line["event"] == "request":
        return f"{line.get('method', '')} {line.get('route', '')}".strip() or "request"
    return str(line["event"])


def _attributes(line: Line) -> dict[str, str | int | float | bool]:
    found: dict[str, str | int | float | bool] = {}
    for key, value in line.items():
        if key not in NOT_ATTRIBUTES and isinstance(value, str | int | float | bool):
            found[NAMES.get(key, f"sitter.{key}")] = value
    return found


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
