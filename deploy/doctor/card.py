"""The graphics card and its driver.

No torch is loaded for it: NVIDIA's own program says what there is, and torch's files say for which
CUDA it was built.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from django.conf import settings

from deploy.doctor.findings import Finding, error, named, note, warning
from workers.engines.base import REGISTRY

# The oldest driver of each CUDA, by NVIDIA's table of minor version compatibility.
DRIVERS: Final = {"11": 450, "12": 525, "13": 580}
# The one engine that needs no card.
ANYWHERE: Final = frozenset({"pocket"})
COMPILERS: Final = ("cc", "gcc", "clang")
QUERY: Final = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits")


def look(now: datetime) -> Iterator[Finding]:
    """The gpu role: a card, its driver, and a torch that was built for it."""
    hungry = sorted(set(settings.ENGINES) & REGISTRY.keys() - ANYWHERE)
    cards = _cards()
    if not cards:
        said = "There is no GPU here, or no driver for it."
        if hungry:
            yield error(
                "machine.gpu",
                f"{said[:-1]}, and the engines {named(hungry)} need one.",
                "Give this worker a card and NVIDIA's driver, or let it paint with pocket alone.",
            )
        else:
            yield note("machine.gpu", said, "Nothing needs to be done: pocket paints without one.")
        return
    # As workers/engines/speed.py looks for it, which loads torch and so cannot be asked.
    if hungry and not any(map(shutil.which, COMPILERS)):
        yield warning(
            "machine.compiler",
            "There is no C compiler, so engines paint uncompiled, which takes longer.",
            "Build the gpu worker's image with --target compiling, or leave it at that.",
        )
    for name, driver, memory in cards:
        yield note("machine.gpu", f"There is a GPU: {name}, {memory} MiB, driver {driver}.")
        yield from _fits(driver, built_for())


def _cards() -> list[tuple[str, str, str]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        said = subprocess.run(  # noqa: S603 - found on PATH, with constant arguments
            [program, *QUERY], capture_output=True, text=True, check=True, timeout=20
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [tuple(part.strip() for part in line.split(",")) for line in said.splitlines()]
    return [(row[0], row[1], row[2]) for row in rows if len(row) == len(("name", "driver", "size"))]


def _fits(driver: str, cuda: str | None) -> Iterator[Finding]:
    if cuda is None:
        yield warning(
            "machine.torch",
            "There is a GPU, and the torch that is installed cannot use one.",
            "Install torch's CUDA build in the gpu worker's image.",
        )
        return
    oldest = DRIVERS.get(cuda.partition(".")[0])
    number = driver.partition(".")[0]
    if oldest and number.isdigit() and int(number) < oldest:
        yield error(
            "machine.driver",
            f"The driver {driver} is older than CUDA {cuda}, which torch was built for, asks for.",
            f"Install driver {oldest} or newer on this machine.",
        )


def built_for() -> str | None:
    """The CUDA version in torch's own version file; None for a build without one."""
    found = find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0]) / "version.py"
    said = re.search(r"^cuda\b.*=\s*['\"]([\d.]+)['\"]", file.read_text(), re.MULTILINE)
    return said[1] if said else None
