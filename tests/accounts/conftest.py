"""Passwords that cost what they cost in production, and a provider to sign in by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.accounts.openid import OpenId


@pytest.fixture
def usual_passwords(settings_of: Any) -> None:
    """For who looks at how long signing in takes, or at who comes first."""
    settings_of(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"])


@pytest.fixture
def provider(born: Any, settings_of: Any) -> Iterator[OpenId]:
    """Apple and Google on this machine; their keys have been fetched; this is the web."""
    from django.core.cache import cache  # Django is set up after this file is read
    from django.utils import timezone

    from accounts.models import ProviderKeys
    from tests.accounts.openid import APP, OpenId, serving
    from workers import providers

    born("web")
    cache.clear()
    ProviderKeys.objects.all().delete()
    with serving(OpenId.usual()) as found:
        settings_of(
            PROVIDERS={"apple": [APP], "google": [APP]},
            APPLE_URL=found.url,
            GOOGLE_URL=f"{found.url}/google",
        )
        assert providers.fetch_keys(timezone.now()) == 2
        yield found
    ProviderKeys.objects.all().delete()
