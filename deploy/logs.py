"""Logs by allow-list: a line is an event name and known keys; everything else is dropped.

Exceptions keep their class and where they were raised. Their message and locals are dropped,
because they may quote an e-mail, a file or a key.
"""

import logging.config
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog

Line = dict[str, Any]

ALLOWED = frozenset(
    {
        "timestamp", "level", "logger", "event", "request_id", "task", "task_id", "job_id",
        "item_id", "work_id", "blob_id", "erasure_id", "role", "engine", "state", "code", "count",
        "seconds", "status", "method", "backlog", "route", "attempts", "error", "where", "layers",
        "kind",
    }
)  # fmt: skip


# Who else hears a line, and only what is left of it: traces and error reports, where they are on
# (deploy/telemetry).
listeners: Final[list[Callable[[Line], None]]] = []
# What they say themselves would come back to them, for ever.
DEAF_TO: Final = ("opentelemetry", "sentry_sdk", "urllib3")

# Loggers whose lines quote addresses and arguments, or say nothing that ours do not say better.
QUIET = {
    "PIL": "WARNING",
    "boto3": "WARNING",
    "botocore": "WARNING",
    "celery.app.trace": "ERROR",
    "celery.worker.strategy": "WARNING",
    "django.request": "CRITICAL",
    # It says what a client has sent, word by word; our own line of the request says the status.
    "django.security": "CRITICAL",
    "django.server": "WARNING",
    "s3transfer": "WARNING",
    "urllib3": "WARNING",
}


def keep_allowed(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Drop every key that is not on the list."""
    return {key: value for key, value in event.items() if key in ALLOWED}


def name_exception(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace an exception by its class and the line of ours that raised it."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[0] is not None:
        event["error"] = info[0].__name__
        event["where"] = _where(info[2])
    return event


def _where(traceback: Any) -> str:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return " > ".join(frames[-8:])


def only_constant_text(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """A record of the standard library keeps its template, not the arguments put into it."""
    record = event.get("_record")
    if record is not None and not event.get("_from_structlog"):
        # Some libraries log an exception as the message, which then quotes what it quotes.
        constant = isinstance(record.msg, str)
        event["event"] = record.msg[:200] if constant else type(record.msg).__name__
    return event


def tell_listeners(_: Any, __: str, event: Line) -> Line:
    """Hand the line on as it will be written. One who fails to listen breaks no line."""
    if listeners and not str(event.get("logger", "")).startswith(DEAF_TO):
        for listener in listeners:
            # To log what went wrong there would be heard again.
            with suppress(Exception):
                listener(event)
    return event


def logging_config(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`: one JSON line an event, to standard error."""
    chain = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": chain,
                "processors": [
                    only_constant_text,
                    name_exception,
                    keep_allowed,
                    tell_listeners,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": level} for name, level in QUIET.items()},
    }


def configure(level: str) -> None:
    """Set up the standard library's logging and structlog alike."""
    logging.config.dictConfig(logging_config(level))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
