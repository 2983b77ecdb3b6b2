"""What allauth's limiter remembers of a person: times of attempts, under an id or a hash.

The entries end by themselves within minutes. An erasure does not wait for that: those that can be
tied to a person are named here, so that they can be dropped and looked up again.
"""

import uuid
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from allauth.account import app_settings
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache

APP = "allauth.account"


def forget(user_id: uuid.UUID, addresses: Iterable[str]) -> None:
    """Drop what was counted for an account and its addresses."""
    cache.delete_many([*_by_account(user_id), *_by_address(addresses)])


def remembers(user_id: uuid.UUID, addresses: Iterable[str] = ()) -> bool:
    """Whether anything is still counted for them."""
    return bool(cache.get_many([*_by_account(user_id), *_by_address(addresses)]))


def _by_account(user_id: uuid.UUID) -> Iterator[str]:
    yield from _keys("user", user=SimpleNamespace(pk=user_id))
    # Wrong codes of an authenticator app are counted by this name.
    yield from _keys("key", key=f"mfa-auth-user-{user_id}")


def _by_address(addresses: Iterable[str]) -> Iterator[str]:
    for address in {address.lower() for address in addresses}:
        # Failed logins are counted by the site's name and the address together.
        for key in (address, *(f"{host}:{address}" for host in settings.ALLOWED_HOSTS)):
            yield from _keys("key", key=key)


def _keys(per: str, **whose: Any) -> Iterator[str]:
    rates: dict[str, Any] = app_settings.RATE_LIMITS
    for action in rates:
        for rate in ratelimit.get_rates(app=APP, action=action):
            if rate.per == per:
                yield ratelimit.get_cache_key(None, app=APP, action=action, rate=rate, **whose)
