"""Where a storm's outcome goes: a row of the figures, and the raw numbers in var/chaos."""

import hashlib
import json
from functools import lru_cache
from typing import Any, Final

from deploy import figures
from deploy.env import ROOT
from tests.chaos.size import SIZE

FOLDER: Final = ROOT / "var" / "chaos"
ROOMS: Final = ("accounts", "privacy", "portraits", "workers", "deploy", "tests/chaos")


def row(
    name: str,
    *,
    value: Any,
    unit: str = "",
    n: int,
    holds: bool | None,
    full: bool,
    conditions: str,
    raw: dict[str, Any],
) -> None:
    """Record it; `holds` is None where the run was too small to claim the figure.

    `full`: it was as large as the figure asks for, so that it need not be run again on this build.
    """
    target = "chaos" if SIZE else "test"
    figures.record(target, name, value=value, unit=unit, n=n, holds=holds, conditions=conditions)
    keep(name, {"build": build(), "full": full, "holds": holds, "value": value, "n": n, **raw})


def keep(name: str, raw: dict[str, Any]) -> None:
    """Raw numbers of one storm; short runs have files of their own."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}{'' if SIZE else '-short'}.json"
    file.write_text(json.dumps(raw, indent=1, default=str) + "\n")


def kept(name: str) -> dict[str, Any]:
    """What was measured last at this size, if this build did; empty otherwise."""
    file = FOLDER / f"{name}{'' if SIZE else '-short'}.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found if found.get("build") == build() else {}


@lru_cache
def build() -> str:
    """A digest of the code that runs, and of the storms."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            digest.update(file.relative_to(ROOT).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
