"""The courier's errands to Apple and Google: their signing keys, and what Apple must revoke.

The web asks nobody outside. It checks identity tokens by the keys that were fetched here, and hands
over Apple's codes sealed; no other role could open one. Each errand is over within seconds, reads
no more than a few kilobytes, and is tried again. Nothing of an answer is logged but its status.
"""

import json
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urljoin

import jwt
import structlog
from django.conf import settings
from django.utils import timezone

from accounts.models import ProviderKeys
from portraits import telling
from privacy import keys, signins
from privacy.errors import NotReady
from privacy.models import SignInGrant
from privacy.plain import Plain
from workers import outside

log = structlog.get_logger(__name__)

# Providers publish a key days before they sign with it.
FETCH_EVERY: Final = timedelta(hours=1)
# Whatever anybody sends us, a provider is asked no more often.
FETCH_AT_MOST: Final = timedelta(seconds=50)
KEYS_BYTES: Final = 65_536
KEYS_AT_MOST: Final = 50
ANSWER_BYTES: Final = 32_768
# Apple takes client secrets that are good for half a year; this one is made for one request.
SECRET_LASTS: Final = timedelta(minutes=5)
# What Apple says of a code or a token that is used up, run out or revoked already.
SPENT: Final = "invalid_grant"


def wanted() -> list[str]:
    """The providers that the operator has switched on."""
    return [name for name, clients in settings.PROVIDERS.items() if clients]


def start() -> None:
    """Once, at the courier's start. Raises NotReady with the setting that is the matter."""
    for name in ("APPLE_URL", "GOOGLE_URL"):
        try:
            _target(getattr(settings, name))
        except outside.BadUrl as error:
            raise NotReady(f"SITTER_{name}: {error}.") from None
    if settings.APPLE_KEY:
        try:
            _client_secret("check", timezone.now())
        except (ValueError, TypeError, jwt.PyJWTError):
            raise NotReady("SITTER_APPLE_KEY must be the PEM of a P-256 private key.") from None
        keys.publish_grant_key(timezone.now().date())


# --- Keys --------------------------------------------------------------------------------------


def fetch_keys(now: datetime) -> int:
    """Fetch whatever is old or wished for; returns how many providers were asked."""
    due = [name for name in wanted() if _due(name, now)]
    for name in due:
        _fetch(name, now)
    return len(due)


def _due(provider: str, now: datetime) -> bool:
    row = ProviderKeys.objects.filter(provider=provider).first()
    if row is None or row.fetched_at is None:
        return True
    age = now - row.fetched_at
    wished = row.wanted_at is not None and row.wanted_at > row.fetched_at
    return age > (FETCH_AT_MOST if wished else FETCH_EVERY)


def _fetch(provider: str, now: datetime) -> None:
    url = settings.GOOGLE_URL
    if provider == signins.APPLE:
        url = urljoin(settings.APPLE_URL, "/auth/keys")
    try:
        answer = outside.get(_target(url), keep=KEYS_BYTES)
        found = _keys(answer.body) if answer.status == 200 else None
        code = "fetched" if found else "refused"
    except outside.NotReached as failure:
        found, code = None, failure.code
    if found:
        ProviderKeys.objects.update_or_create(
            provider=provider, defaults={"keys": found, "fetched_at": now}
        )
    (log.info if found else log.warning)("provider_keys", kind=provider, state=code)


def _keys(body: bytes) -> list[dict[str, Any]] | None:
    """Public halves with a name, as RFC 7517 has them; None if there is no such thing in it."""
    try:
        said = json.loads(body)["keys"]
        found = [entry for entry in said if isinstance(entry["kid"], str)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return found[:KEYS_AT_MOST] or None


# --- Grants ------------------------------------------------------------------------------------


def run() -> int:
    """Exchange and revoke whatever waits; returns how many tries that took."""
    done = 0
    if not settings.APPLE_KEY:
        return done
    if not telling.may_begin(timezone.now()):
        log.warning("courier_waits_for_upkeep")
        return done
    while errand := signins.claim():
        done += 1
        now = timezone.now()
        try:
            settled = _carry(errand, now)
        except outside.NotReached as failure:
            settled = _say(errand, failure.code)
        if not settled:
            signins.again(errand, now)
    return done


def _carry(errand: signins.Errand, now: datetime) -> bool:
    if errand.grant.state == SignInGrant.State.CODE:
        return _exchange(errand, now)
    token = signins.open_token(errand).reveal().decode()
    asked = {"token": token, "token_type_hint": "refresh_token"}
    status, said = _ask("/auth/revoke", errand.grant.client, asked, now)
    if status == 200 or said.get("error") == SPENT:
        signins.over(errand)
        return _say(errand, "revoked", status, settled=True)
    return _say(errand, "refused", status)


def _exchange(errand: signins.Errand, now: datetime) -> bool:
    code = signins.open_token(errand).reveal().decode()
    asked = {"code": code, "grant_type": "authorization_code"}
    status, said = _ask("/auth/token", errand.grant.client, asked, now)
    token = said.get("refresh_token")
    if status == 200 and isinstance(token, str) and token:
        return signins.exchanged(errand, Plain(token.encode()))
    if said.get("error") == SPENT:
        # Used, too old or of another app: there is nothing that Apple could revoke.
        signins.over(errand)
        return _say(errand, "spent", status, settled=True)
    return _say(errand, "refused", status)


def _ask(path: str, client: str, fields: dict[str, str], now: datetime) -> tuple[int, Any]:
    body = {"client_id": client, "client_secret": _client_secret(client, now), **fields}
    answer = outside.post(
        _target(urljoin(settings.APPLE_URL, path)),
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(body).encode(),
        keep=ANSWER_BYTES,
    )
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = {}
    return answer.status, said if isinstance(said, dict) else {}


def _client_secret(client: str, now: datetime) -> str:
    """What tells Apple that it is us (ES256, by the key that the courier alone has)."""
    claims = {
        "iss": settings.APPLE_TEAM,
        "iat": int(now.timestamp()),
        "exp": int((now + SECRET_LASTS).timestamp()),
        "aud": "https://appleid.apple.com",
        "sub": client,
    }
    headers = {"kid": settings.APPLE_KEY_ID}
    return jwt.encode(claims, settings.APPLE_KEY, algorithm="ES256", headers=headers)


def _say(
    errand: signins.Errand, state: str, status: int | None = None, *, settled: bool = False
) -> bool:
    say = log.info if settled else log.warning
    say(
        "grant",
        state=state,
        status=status,
        work_id=str(errand.grant.pk),
        attempts=errand.held.attempts,
    )
    return settled


def _target(url: str) -> outside.Target:
    """Only the operator names these; elsewhere than in production they may be one's own machine."""
    lenient = not settings.PRODUCTION
    return outside.target(url, insecure=lenient, private=lenient)
