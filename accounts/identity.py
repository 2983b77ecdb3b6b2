"""Identity tokens of Apple and Google: whose signature, for which app, until when, used once.

Nothing here goes outside. The courier fetches the providers' keys (workers/providers.py) and writes
them into a table; a key that is not in it is wished for there, and whoever came with it is asked to
try again. Refuses whatever is not signed with RS256 or ES256 by a key that the provider publishes.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import ErrorDetail, ValidationError

from accounts.errors import ProviderAway, ProviderOff
from accounts.models import ProviderKeys

ALGORITHMS: Final = ("RS256", "ES256")
REQUIRED: Final = ("iss", "aud", "exp", "iat", "sub")
ISSUERS: Final = {
    "apple": ("https://appleid.apple.com",),
    "google": ("https://accounts.google.com", "accounts.google.com"),
}
# How far a provider's clock and ours may be apart.
LEEWAY: Final = timedelta(seconds=60)
# A token that would be good for longer was not made for signing in.
LONGEST: Final = timedelta(days=2)
# Keys that nobody could fetch anew for so long are not trusted any more.
KEYS_LAST: Final = timedelta(days=2)
# A key that is not among keys as fresh as this does not exist. The courier looks once a minute.
KEYS_FRESH: Final = timedelta(seconds=90)


@dataclass(frozen=True)
class Claims:
    """What is taken from a token; no name, no picture."""

    provider: str
    client: str
    # A digest: our tables alone do not tell anybody which account of the provider's it is.
    uid: str
    # Empty unless the provider has verified it.
    email: str
    token_sha256: str
    expires_at: datetime


def clients(provider: str) -> list[str]:
    """The apps whose tokens count here; none where the operator has set none."""
    found: list[str] = settings.PROVIDERS.get(provider, [])
    return found


def read(provider: str, token: str, nonce: str, now: datetime) -> Claims:
    """Check a token. Raises ProviderOff, ProviderAway, or ValidationError for `id_token`."""
    if not clients(provider):
        raise ProviderOff
    key = _key(provider, token, now)
    try:
        said: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=clients(provider),
            issuer=ISSUERS[provider],
            leeway=LEEWAY,
            options={"require": list(REQUIRED)},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise refused() from error
    expires_at = datetime.fromtimestamp(min(float(said["exp"]), 1e11), now.tzinfo)
    audience = said["aud"] if isinstance(said["aud"], str) else ""
    subject = said["sub"]
    if not (audience and isinstance(subject, str) and subject) or expires_at > now + LONGEST:
        raise refused()
    _compare_nonce(said.get("nonce"), nonce)
    return Claims(
        provider=provider,
        client=audience,
        uid=hashlib.sha256(f"{provider} {subject}".encode()).hexdigest(),
        email=_email(said),
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        expires_at=expires_at,
    )


def use(claims: Claims, now: datetime) -> None:
    """Once, and never again: whoever has read a token on its way comes too late."""
    seconds = (claims.expires_at + LEEWAY - now).total_seconds()
    if not cache.add(f"id-token:{claims.token_sha256}", 1, timeout=max(1, int(seconds) + 1)):
        raise refused("token_used")


def refused(code: str = "invalid_token") -> ValidationError:
    """A token that does not count, said in one sentence whatever is the matter."""
    told = {
        "invalid_token": "This token does not count here. Sign in with the provider again.",
        "token_used": "This token was used before. Sign in with the provider again.",
    }
    return ValidationError({"id_token": [ErrorDetail(told[code], code=code)]})


def _key(provider: str, token: str, now: datetime) -> jwt.PyJWK:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise refused() from error
    kid, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(kid, str) or algorithm not in ALGORITHMS:
        raise refused()
    row = ProviderKeys.objects.filter(provider=provider).first()
    if row is None or row.fetched_at is None or now - row.fetched_at > KEYS_LAST:
        raise ProviderAway
    for entry in row.keys:
        if entry.get("kid") == kid:
            key = _usable(entry, algorithm)
            if key is not None:
                return key
            raise refused()
    if now - row.fetched_at < KEYS_FRESH:
        raise refused()
    ProviderKeys.objects.filter(pk=provider).update(wanted_at=now)
    raise ProviderAway


def _usable(entry: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    """A published key, if it is of the kind that this algorithm signs with."""
    if entry.get("kty") != {"RS256": "RSA", "ES256": "EC"}[algorithm]:
        return None
    try:
        return jwt.PyJWK.from_json(json.dumps(entry), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None


def _compare_nonce(signed: Any, sent: str) -> None:
    """What the app made up must be in the token, as it is or as its SHA-256, as Apple's kit does.

    An app that sends none has asked for none; then none may be in it that it did not check.
    """
    if signed is None and not sent:
        return
    allowed = (sent, hashlib.sha256(sent.encode()).hexdigest()) if sent else ()
    if not any(hmac.compare_digest(str(signed).encode(), one.encode()) for one in allowed):
        raise refused()


def _email(said: dict[str, Any]) -> str:
    """Apple says "true" as text now and then."""
    email = said.get("email")
    verified = said.get("email_verified") in (True, "true")
    return email.lower() if isinstance(email, str) and verified else ""
