"""The parts of engines.txt that each image installs: `python -m deploy.locks.parts`.

An image holds what its role imports and nothing else: no torch in the web's, no database server in
any. A part has the versions and hashes of the whole, because it is cut from it; it refuses what
the whole does not pin.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE: Final = Path(__file__).resolve().parent
WHOLE: Final = HERE / "engines.txt"
# Image → the extras of pyproject.toml that it needs. Upkeep, keeper, courier, beat, Flower and the
# migrator run in the web's.
PARTS: Final = {"web": ("operator",), "intake": ("intake",), "gpu": ("gpu", "engines")}
# Its builds differ by machine, so no lock pins it by hash (Makefile).
APART: Final = "torch"
# As for the whole: what a patch release needs less does no harm, whichever of them runs this.
OLDEST: Final = "3.11.0"
BLOCK: Final = re.compile(r"^([a-z0-9][a-z0-9._-]*)==.*(?:\n +--hash=.*)*", re.MULTILINE)


def render() -> dict[Path, str]:
    """File → text of each part."""
    blocks = {match[1]: match[0] for match in BLOCK.finditer(WHOLE.read_text())}
    return {
        HERE / f"{name}.txt": "".join(f"{blocks[one]}\n" for one in sorted(closure(extras)))
        for name, extras in PARTS.items()
    }


def closure(extras: Iterable[str]) -> set[str]:
    """What is installed with these extras, torch left out and what it needs counted in."""
    said = tomllib.loads((HERE.parent.parent / "pyproject.toml").read_text())["project"]
    listed = [said["optional-dependencies"][extra] for extra in extras]
    waiting = [Requirement(line) for lines in (said["dependencies"], *listed) for line in lines]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        for extra in {"", *wanted.extras}:
            key = (canonicalize_name(wanted.name), extra)
            if key not in seen:
                seen.add(key)
                waiting += _needs(*key)
    return {name for name, _ in seen} - {APART}


def _needs(name: str, extra: str) -> list[Requirement]:
    found = [Requirement(line) for line in requires(name) or ()]
    here = {"extra": extra, "python_full_version": OLDEST}
    return [one for one in found if one.marker is None or one.marker.evaluate(here)]


if __name__ == "__main__":
    for file, text in render().items():
        file.write_text(text)
        sys.stdout.write(f"{file.name}: {text.count('==')} packages\n")
