"""Error reports for Sentry, or whatever takes its envelopes. A report is a line at level error.

The library is used as a sender alone: it is told what to send, patches nothing, and collects
nothing by itself. What it would add (the machine's name, packages, breadcrumbs, a request) is cut
off again before a report leaves.
"""

from typing import Any, Final

import sentry_sdk

from deploy.logs import Line

PATIENCE: Final = 2.0
REPORTED: Final = {"error": "error", "critical": "fatal"}
# All that a report may consist of.
KEPT: Final = frozenset(
    {
        "event_id", "timestamp", "platform", "level", "logger", "logentry", "exception", "tags",
        "fingerprint", "release", "server_name",
    }
)  # fmt: skip
# What the library would look at by itself, by its own names.
NOTHING: Final[Any] = {
    "user_info": False,
    "cookies": {"mode": "off"},
    "http_headers": {"request": {"mode": "off"}},
    "http_bodies": [],
    "url_query_params": {"mode": "off"},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
    "frame_context_lines": 0,
}
NOT_TAGS: Final = frozenset({"event", "timestamp", "level", "logger", "error", "where"})


class Listener:
    """Hears lines, and sends those that say that something failed, from a thread of its own."""

    def __init__(self, dsn: str, *, role: str, version: str, build: str) -> None:
        # A client of our own and not the library's global one: nobody else can report through it.
        self._client = sentry_sdk.Client(
            dsn=dsn,
            release=f"sitter@{version}" + (f"+{build}" if build else ""),
            server_name=role,
            before_send=keep_ours,
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            send_client_reports=False,
            data_collection=NOTHING,
            attach_stacktrace=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            enable_backpressure_handling=False,
            spotlight=False,
        )

    def __call__(self, line: Line) -> None:
        """One line, already stripped."""
        if line.get("level") in REPORTED:
            self._client.capture_event(report(line))

    def flush(self) -> None:
        """Send what waits, now."""
        self._client.flush(timeout=PATIENCE)

    def close(self) -> None:
        """Send what waits, and no more."""
        self._client.close(timeout=PATIENCE)


def report(line: Line) -> Any:
    """The line in the shape of a report, with the class and the places of an exception if any."""
    said = {
        "level": REPORTED[line["level"]],
        "logger": line.get("logger", ""),
        "logentry": {"message": str(line["event"])},
        "tags": {key: str(value) for key, value in line.items() if key not in NOT_TAGS},
        # By what happened and where, and never by what somebody has sent.
        "fingerprint": [str(line.get(key, "")) for key in ("event", "error", "where")],
    }
    if "error" in line:
        raised: dict[str, Any] = {"type": str(line["error"]), "value": ""}
        if places := _frames(str(line.get("where", ""))):
            raised["stacktrace"] = {"frames": places}
        said["exception"] = {"values": [raised]}
    return said


def _frames(where: str) -> list[dict[str, Any]]:
    """`file.py:12 > other.py:7` as frames, the outermost first."""
    frames = []
    for place in where.split(" > ") if where else ():
        file, _, line = place.rpartition(":")
        frames.append({"filename": file, "lineno": int(line)})
    return frames


def keep_ours(event: Any, hint: Any) -> Any:
    """The second fence: whatever the library has added goes."""
    return {key: value for key, value in event.items() if key in KEPT}
