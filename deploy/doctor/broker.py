"""Valkey: does it forget, does it keep, and does it ask for a password?

INFO says most of it to any login; CONFIG is the administrators', and is asked where it is allowed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import redis
from django.conf import settings

from deploy.doctor.findings import Finding, error, note, warning
from privacy import valkey

FULL: Final = 0.8
PATIENCE: Final = 2.0


def look(now: datetime) -> Iterator[Finding]:
    """The broker as this login sees it."""
    client = valkey.client()
    yield from judge({**client.info("persistence"), **client.info("memory")})
    try:
        synced = client.config_get("appendfsync").get("appendfsync")
    except redis.exceptions.NoPermissionError:
        yield note("broker.config", "This login may not ask the broker how often it syncs.")
    else:
        if synced == "no":
            yield warning(
                "broker.sync",
                "The broker leaves its file to the kernel, so a power cut loses nudges.",
                "Set appendfsync everysec.",
            )
    if _lets_strangers_in():
        yield error(
            "broker.open",
            "The broker answers whoever asks, without a password.",
            "Switch the default user off and give each role one of its own.",
        )


def judge(info: Mapping[str, Any]) -> Iterator[Finding]:
    """What these answers of a broker mean."""
    if not int(info.get("aof_enabled", 0)):
        yield error(
            "broker.persistence",
            "The broker keeps no append-only file, so a restart forgets every nudge.",
            "Set appendonly yes.",
        )
    elif info.get("aof_last_write_status", "ok") != "ok":
        yield error(
            "broker.write", "The broker could not write its file.", "Look at its disk and its log."
        )
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        yield error(
            "broker.eviction",
            f"The broker evicts by {info['maxmemory_policy']}: what it forgets is done late.",
            "Set maxmemory-policy noeviction.",
        )
    most = int(info.get("maxmemory", 0))
    if most and int(info.get("used_memory", 0)) > FULL * most:
        yield warning(
            "broker.memory",
            "The broker's memory is nearly full; when it is, nothing more is sent.",
            "Raise maxmemory, and look which queue nobody works on.",
        )


def _lets_strangers_in() -> bool:
    """The plain truth, whatever the settings say: ask like anybody."""
    parts = urlsplit(settings.BROKER_URL)
    anonymous = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    try:
        with redis.Redis.from_url(
            anonymous, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
