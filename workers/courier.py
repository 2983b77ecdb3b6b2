"""Tells the operator's endpoint what has ended, by Standard Webhooks, and no other role does.

It is the only process that calls anybody outside (Apple and Google too, providers.py), and so it
holds nothing that opens a picture: signing keys, a login for the outbox, the broker. It refuses to
start without an address and keys, unless there is somebody to sign in by.
An endpoint that fails again and again is left alone as a whole, so that a thousand events do not
mean a thousand tries. An answer's body is never read, kept or logged.
"""

import base64
import binascii
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import structlog
from django.conf import settings
from django.utils import timezone

from portraits import telling
from portraits.models import Event
from privacy.circuit import Circuit
from privacy.errors import NotReady
from workers import outside, providers

log = structlog.get_logger(__name__)

PREFIX: Final = "whsec_"
KEY_BYTES: Final = (24, 64)
KEYS_AT_MOST: Final = 2
# For how long an endpoint that fails again and again is left alone, in seconds.
FIRST_REST, LONGEST_REST = 30.0, 600.0
# What an endpoint may ask of us with Retry-After.
LONGEST_WISH: Final = 3600.0
# Answers behind which Retry-After counts.
BUSY: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Endpoint:
    """Where to, and with what it is signed."""

    to: outside.Target
    keys: tuple[bytes, ...] = field(repr=False)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    circuit: Circuit = field(default_factory=lambda: Circuit(FIRST_REST, LONGEST_REST))


_endpoint: Endpoint | None = None
_leaving = threading.Event()


def start() -> None:
    """Read the settings once. Raises NotReady with the name of the one that is the matter."""
    global _endpoint
    _leaving.clear()
    providers.start()
    _endpoint = None
    if not settings.WEBHOOK_URL:
        if providers.wanted():
            return
        raise NotReady("SITTER_WEBHOOK_URL is empty; the courier has nobody to tell.")
    try:
        to = outside.target(
            settings.WEBHOOK_URL,
            insecure=settings.WEBHOOK_INSECURE,
            private=settings.WEBHOOK_PRIVATE,
        )
    except outside.BadUrl as error:
        raise NotReady(f"SITTER_WEBHOOK_URL: {error}.") from None
    _endpoint = Endpoint(to, secrets(settings.WEBHOOK_KEYS))


def leave() -> None:
    """Begin nothing more; what is under way ends within seconds."""
    _leaving.set()


def secrets(texts: Sequence[str]) -> tuple[bytes, ...]:
    """The bytes of the signing keys, the newest first. Raises NotReady and quotes none of them."""
    found = tuple(_secret(text) for text in texts)
    if not 1 <= len(found) <= KEYS_AT_MOST or None in found:
        raise NotReady(
            "SITTER_WEBHOOK_KEYS must hold one or two keys, each whsec_ and the base64 of 24 to 64"
            " random bytes."
        )
    return tuple(key for key in found if key)


def _secret(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    least, most = KEY_BYTES
    return key if text.startswith(PREFIX) and least <= len(key) <= most else None


def run() -> int:
    """Tell whatever waits; returns how many tries that took."""
    endpoint = _endpoint
    if endpoint is None:
        raise NotReady("The courier was not started.")
    done = 0
    if not telling.may_begin(timezone.now()):
        log.warning("courier_waits_for_upkeep")
        return done
    while not _leaving.is_set():
        if not endpoint.circuit.enter():
            if rest := endpoint.circuit.rest():
                telling.rest(timedelta(seconds=rest))
            break
        try:
            errand = telling.claim()
            if errand is None:
                break
            _tell(endpoint, errand)
        finally:
            endpoint.circuit.left()
        done += 1
    return done


def _tell(endpoint: Endpoint, errand: telling.Errand) -> None:
    started = time.monotonic()
    text = body(errand.event)
    status: int | None = None
    wish = 0.0
    try:
        answer = outside.post(
            endpoint.to,
            headers(errand.event, text, endpoint.keys, timezone.now()),
            text,
            context=endpoint.tls,
        )
        status, code = answer.status, meaning(answer.status)
        if status in BUSY:
            wish = min(answer.retry_after or 0.0, LONGEST_WISH)
    except outside.NotReached as failure:
        code = failure.code
    _note(endpoint, errand, status, code, wish)
    level = log.info if code == "delivered" else log.warning
    level(
        "webhook",
        state=code,
        status=status,
        work_id=str(errand.event.pk),
        attempts=errand.held.attempts,
        seconds=round(time.monotonic() - started, 2),
    )


def _note(
    endpoint: Endpoint, errand: telling.Errand, status: int | None, code: str, wish: float
) -> None:
    """Write down what came of it."""
    now = timezone.now()
    if status is not None and code == "delivered":
        telling.delivered(errand.held, status, now)
        if endpoint.circuit.succeeded():
            log.info("webhook_is_back")
            telling.hurry()
        return
    if code == "gone":
        # The endpoint answers, and wants this no more; repeating could only annoy it.
        kept = False
        telling.give_up(errand.held, status, now)
    else:
        endpoint.circuit.failed(wish)
        kept = telling.again(errand.held, status, now, at_least=timedelta(seconds=wish))
    if not kept:
        log.error("webhook_given_up", code=code, status=status, work_id=str(errand.event.pk))


def meaning(status: int) -> str:
    """One word for an answer."""
    if 200 <= status < 300:
        return "delivered"
    if 300 <= status < 400:
        # Whoever may redirect us could send us anywhere.
        return "redirected"
    if status == HTTPStatus.GONE:
        return "gone"
    if status in BUSY:
        return "busy"
    return "refused" if 400 <= status < 500 else "failing"


def body(event: Event) -> bytes:
    """What is told: the same bytes at every try."""
    ids = {"id": event.object_id, "owner": event.owner_id, "job": event.job_id}
    data: dict[str, object] = {name: str(value) for name, value in ids.items() if value}
    if event.type == Event.Type.WORK_GIVEN_UP:
        data["work"] = event.outcome
    else:
        data |= {"state": event.outcome, "sequence": event.sequence}
    told = {"type": event.type, "timestamp": event.created_at.isoformat(), "data": data}
    return json.dumps(told, separators=(",", ":")).encode()


def headers(event: Event, text: bytes, keys: Sequence[bytes], now: datetime) -> dict[str, str]:
    """The three headers of the specification, with a signature for each key."""
    moment = str(int(now.timestamp()))
    signed = b".".join((str(event.pk).encode(), moment.encode(), text))
    signatures = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Sitter/{settings.VERSION}",
        "webhook-id": str(event.pk),
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(one).decode('ascii')}" for one in signatures
        ),
    }
