"""What the steps of the journey share: the client, the bucket, the screen, and what was learnt."""

import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.bucket import Bucket, Count
from deploy.demo.client import Client
from deploy.demo.errors import NotHeld
from deploy.demo.screen import Screen


@dataclass
class Walk:
    """One person's way through the product, from nothing to nothing."""

    client: Client
    bucket: Bucket
    screen: Screen
    out: Path
    engine: str
    wanted: tuple[str, ...]
    strict: bool  # whether exactly the wanted styles will do, or any others of the engine
    email: str = field(default_factory=lambda: f"grace-{secrets.token_hex(6)}@example.org")
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    signed_up: bool = False
    erasure: str | None = None
    account: str = ""
    api_version: str | None = None
    # Style's id → its name and version, of the four that are asked for.
    styles: dict[str, dict[str, Any]] = field(default_factory=dict)
    views: dict[str, bytes] = field(default_factory=dict)
    set_id: str = ""
    first_sent: float = 0.0
    first_portrait: float | None = None  # seconds from the first photo to the first portrait
    portraits: dict[str, bytes] = field(default_factory=dict)
    from_choices: bytes | None = None
    objects: dict[str, Count] = field(default_factory=dict)

    def save(self, name: str, body: bytes) -> None:
        """Replace a file in one step, so that nobody ever sees half of one."""
        fresh = self.out / f".{name}.{os.getpid()}"
        fresh.write_bytes(body)
        fresh.replace(self.out / name)

    def save_json(self, name: str, value: Any) -> None:
        self.save(name, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def until(seconds: float, every: float, sentence: str) -> Iterator[float]:
    """Yield the seconds passed, at intervals; NotHeld with the sentence once time is up."""
    begun = time.monotonic()
    while True:
        yield time.monotonic() - begun
        if time.monotonic() - begun > seconds:
            raise NotHeld(sentence)
        time.sleep(every)
