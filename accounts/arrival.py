"""Somebody who arrives with a provider's token, while one request lasts."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.http import HttpRequest

from accounts import identity
from accounts.identity import Claims

# Who keeps the code that comes with a token, so that it can be revoked one day: (person, provider,
# app, code, now). Filled by the room above in its AppConfig, because this one knows no ciphers.
keepers: list[Callable[[uuid.UUID, str, str, str, datetime], None]] = []
# Who is told that a person has taken a provider off their account: (person, provider, now).
parted: list[Callable[[uuid.UUID, str, datetime], object]] = []


@dataclass
class Arrival:
    """A checked token and what came with it."""

    claims: Claims
    now: datetime
    # Where a newcomer lives; empty unless they have said that they are 18 or older.
    region: str = ""
    code: str = field(default="", repr=False)

    def use_token(self, request: HttpRequest) -> None:
        """Once, however often this one request has to be tried."""
        used: set[str] = vars(request).setdefault("used_tokens", set())
        if self.claims.token_sha256 not in used:
            identity.use(self.claims, self.now)
            used.add(self.claims.token_sha256)

    def hand_over(self, user_id: uuid.UUID) -> None:
        """The code, if one came, to whoever keeps it."""
        if self.code:
            for keep in keepers:
                keep(user_id, self.claims.provider, self.claims.client, self.code, self.now)


def part(user_id: uuid.UUID, provider: str, now: datetime) -> None:
    """The person does not sign in by this provider any more."""
    for tell in parted:
        tell(user_id, provider, now)
