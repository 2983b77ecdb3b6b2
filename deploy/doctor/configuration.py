"""Settings that are allowed and yet wrong: what `Env` and the system checks cannot refuse."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from deploy.doctor.findings import Finding, error, named, note, warning
from privacy import checks

SHORTEST_SECRET: Final = 32
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
# The default of SITTER_WATERMARK_KEY, which everybody knows.
KNOWN_WATERMARK: Final = "sitter"


def look(now: datetime) -> Iterator[Finding]:
    """What any role can see of its own settings."""
    for check in checks.ALL:
        for message in check(None):
            yield error(
                "settings.check", str(message.msg), f"See {message.id} in privacy/checks.py."
            )
    if settings.DEBUG:
        yield error(
            "settings.debug",
            "SITTER_DEBUG is on, so that an error page shows what a request holds.",
            "Take SITTER_DEBUG away.",
        )
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        yield error(
            "settings.secret_key",
            "SITTER_SECRET_KEY is unset or short, so that whoever guesses it forges our tokens.",
            "Set it to 50 random characters, others for each role.",
        )
    if not settings.PRODUCTION:
        yield note(
            "settings.production",
            "SITTER_PRODUCTION is off, so some of what is refused there was not looked at.",
            "Set it where real people are served.",
        )
    yield from _hosts()
    yield from _telemetry()
    if settings.PRODUCTION:
        yield from _served_people()


def _hosts() -> Iterator[Finding]:
    hosts = set(settings.ALLOWED_HOSTS)
    if any(host.startswith("*") for host in hosts):
        yield error(
            "settings.hosts",
            "SITTER_ALLOWED_HOSTS lets any host name in, so that links can be made to lead away.",
            "List the names under which the web is reached.",
        )
    elif settings.PRODUCTION and str(settings.ROLE) == "web" and hosts <= LOOPBACK:
        yield warning(
            "settings.hosts",
            "SITTER_ALLOWED_HOSTS names this machine alone, so requests from outside get 400.",
            "List the names under which the web is reached.",
        )


def _telemetry() -> Iterator[Finding]:
    """What is handed on of log lines holds nothing personal, and is nobody else's all the same."""
    there = urlsplit(settings.OTLP_ENDPOINT or "")
    if there.scheme == "http" and there.hostname not in LOOPBACK:
        yield warning(
            "settings.traces",
            "Traces go in clear to another machine, and their ids tell who reads them what is"
            " painted when.",
            "Give SITTER_OTLP_ENDPOINT https://, or run a collector on this machine.",
        )
    if settings.SENTRY_DSN and not settings.PROCESSORS:
        yield warning(
            "settings.reports",
            "Error reports go to SITTER_SENTRY_DSN, and the public facts name nobody who gets"
            " anything.",
            "Name whoever runs it in SITTER_PROCESSORS.",
        )


def _served_people() -> Iterator[Finding]:
    missing = [name for name in ("CONTACT", "BUILD") if not getattr(settings, name)]
    if missing:
        yield warning(
            "settings.facts",
            f"The public facts lack {named(f'SITTER_{name}' for name in missing)}.",
            "Set them; people and receipts name them.",
        )
    if str(settings.ROLE) in ("web", "gpu") and settings.WATERMARK_KEY == KNOWN_WATERMARK:
        yield warning(
            "settings.watermark",
            "SITTER_WATERMARK_KEY is the default, so anybody can make a mark that counts as yours.",
            "Set one of your own before the first portrait; a change makes older marks unknown.",
        )
    if str(settings.ROLE) in ("web", "upkeep") and settings.DEFAULT_FROM_EMAIL.endswith(
        "localhost"
    ):
        yield warning(
            "settings.sender",
            "SITTER_MAIL_FROM is no address of yours, so letters look forged.",
            "Set the sender that your mail server accepts.",
        )
