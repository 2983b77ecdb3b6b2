"""How much memory is free where engines paint: a card's, or without one what this process may take.

Owns the reading of both. In a container the machine's free memory is a promise that the container's
limit breaks, so the limit counts where it is tighter, in either version of the kernel's groups.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch

from workers.engines import speed

MACHINE: Final = Path("/proc/meminfo")
MINE: Final = Path("/proc/self/cgroup")
GROUPS: Final = Path("/sys/fs/cgroup")
# By version: where the group's files are, its limit, what it uses, and what of that are pages of
# files that the kernel drops when somebody needs the place.
UNIFIED: Final = ("", "memory.max", "memory.current", "inactive_file")
FORMER: Final = ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def free() -> tuple[str, float]:
    """The kind of device and its free bytes."""
    where = speed.device()
    if where.type == "cuda":
        return "cuda", float(torch.cuda.mem_get_info(where)[0])
    return "cpu", processor()


def processor(machine: Path = MACHINE, mine: Path = MINE, groups: Path = GROUPS) -> float:
    """What this process may still take of the machine's memory."""
    lines = dict(line.split(":", 1) for line in machine.read_text().splitlines())
    least = float(lines["MemAvailable"].split()[0]) * 1024
    for folder, (_, limit, used, droppable) in _folders(mine, groups):
        left = _left(folder, limit, used, droppable)
        if left is not None:
            least = min(least, left)
    return least


def _folders(mine: Path, groups: Path) -> list[tuple[Path, tuple[str, str, str, str]]]:
    """This process's group and all above it: the tightest limit holds.

    In a container the group's own name may be hidden and its files lie at the top.
    """
    found = []
    for line in mine.read_text().splitlines() if mine.exists() else []:
        _, controllers, name = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        files = FORMER if controllers else UNIFIED
        top = groups / files[0]
        place = top / name.lstrip("/")
        while place != top:
            found.append((place, files))
            place = place.parent
        found.append((top, files))
    return found


def _left(folder: Path, limit: str, used: str, droppable: str) -> float | None:
    """What a group may still take; None where it has no limit or is not to be seen."""
    try:
        most = float((folder / limit).read_text())
        taken = float((folder / used).read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        # "max" is no number, and means that there is no limit.
        return None
    return max(0.0, most - taken + float(stat.get(droppable, 0)))
