"""What leaves by the wire: a collector and a Sentry on this machine, and the letters they got."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.prove.search import Search
from tests.webhooks.receiver import Receiver, serving


@dataclass
class Wires:
    """Two receivers, which answer 200 to everything."""

    collector: Receiver = field(default_factory=lambda: Receiver(status=200))
    sentry: Receiver = field(default_factory=lambda: Receiver(status=200))

    @property
    def otlp_endpoint(self) -> str:
        return f"http://127.0.0.1:{self.collector.port}"

    @property
    def dsn(self) -> str:
        return f"http://public@127.0.0.1:{self.sentry.port}/1"

    @property
    def reports(self) -> list[dict[str, Any]]:
        """Every report that arrived."""
        found = []
        for headers, body in self.sentry.letters:
            assert headers.get("content-encoding", "gzip") == "gzip"
            _, *parts = gzip.decompress(body).split(b"\n")
            assert json.loads(parts[0])["type"] == "event"
            found.append(json.loads(parts[1]))
        return found

    @property
    def spans(self) -> list[Any]:
        """Every span that arrived."""
        return [
            span
            for _, body in self.collector.letters
            for one in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in one.scope_spans
            for span in scope.spans
        ]

    def about(self) -> dict[str, Any]:
        """What the newest letter says of who sent it."""
        _, body = self.collector.letters[-1]
        [one] = ExportTraceServiceRequest.FromString(body).resource_spans
        return told(one.resource)

    def hold(self, search: Search) -> set[str]:
        """What is found in anything that left, headers included."""
        letters = [*self.collector.letters, *self.sentry.letters]
        return {
            label
            for headers, body in letters
            for label in search.find(body) | search.find(json.dumps(headers).encode())
        }


@contextmanager
def open_wires() -> Iterator[Wires]:
    """Both receivers run."""
    wires = Wires()
    with serving(wires.collector), serving(wires.sentry):
        yield wires


def told(span: Any) -> dict[str, Any]:
    """The attributes of a span or of a resource."""
    return {
        one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes
    }
