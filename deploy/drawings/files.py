"""Which drawings there are, where they lie, and which page shows them."""

from pathlib import Path
from typing import Final

from deploy.drawings import compartments, machines, rooms
from deploy.env import ROOT

FOLDER: Final = ROOT / "deploy" / "docs" / "drawings"
PAGE: Final = ROOT / "deploy" / "docs" / "architecture.md"


def render() -> dict[Path, str]:
    """File → text."""
    return {
        FOLDER / "rooms.svg": rooms.draw(),
        FOLDER / "compartments.svg": compartments.draw(),
        **{
            FOLDER / f"{machine.name.lower()}.svg": machines.draw(machine)
            for machine in machines.found()
        },
    }


def write() -> list[Path]:
    """Write them all; returns them, as paths from the repository's root."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = render()
    for file in set(FOLDER.glob("*.svg")) - set(drawn):
        file.unlink()
    for file, text in drawn.items():
        file.write_text(text)
    return [file.relative_to(ROOT) for file in drawn]
