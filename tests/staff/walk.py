"""Walk through support's work and write down what was seen: `python -m tests.staff.walk FOLDER`.

On a stack of its own, which is gone behind it. FOLDER gets walkthrough-support.md, of which only
the part between the marks is written, and pictures/ beside it. Nobody's face is in them: no page of
the admin shows one. Needs Debian's chromium.
"""

import io
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageChops

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack

if TYPE_CHECKING:
    from tests.staff.walking import Diary, Step

PAGE: Final = "walkthrough-support.md"
BEGIN, END = "<!-- made by python -m tests.staff.walk -->", "<!-- /made -->"
# A picture is read beside a text, and lies in the repository for good.
WIDTH, QUALITY, EDGE = 1100, 60, 24
PICTURES: Final = {
    "support-job": "The job's page: what happened to it, in sentences",
    "support-request": "The request's page, behind the first answer",
    "support-again": "A form that was sent too late is held until the code is typed",
}


def main(folder: Path) -> None:
    """A stack, the walk, the page."""
    data = Path(tempfile.mkdtemp(prefix="sitter-walk-"))
    try:
        with Stack(data, preferred_ports=False) as stack:
            diary = _walked(stack)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    page = folder / PAGE
    page.write_text(filled(page.read_text("utf-8"), diary), "utf-8")
    for name, shot in diary.pictures.items():
        _keep(folder / "pictures" / f"{name}.webp", shot)
    sys.stdout.write(f"{len(diary.steps)} steps, {total(diary):.0f} s: {page}\n")


def _walked(stack: Stack) -> "Diary":
    """Django is set up for the tests' own people; what needs it is imported behind that."""
    own = {"DJANGO_SETTINGS_MODULE": "deploy.settings", "SITTER_LOG_LEVEL": "WARNING"}
    os.environ.update(stack.env(Role.MIGRATOR) | own)
    import django

    django.setup()

    from deploy.demo.views import five_views
    from tests.api.people import People
    from tests.api.visiting import chromium
    from tests.staff.story import walk

    views = five_views(ROOT / "deploy" / "demo" / "photo.jpg")
    people = People(stack, views)
    try:
        with chromium() as browser:
            return walk(people, browser)
    finally:
        people.close()


# --- The page -------------------------------------------------------------------------------------


def filled(page: str, diary: "Diary") -> str:
    """The page with this walk between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{told(diary)}{END}{after}"


def told(diary: "Diary") -> str:
    """A table for each part, and behind it its picture."""
    parts = [_part(name, list(steps)) for name, steps in groupby(diary.steps, lambda one: one.part)]
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    said = f"Walked on {day}. What the pages took of it: {total(diary):.0f} s, all together.\n"
    return "\n".join([said, *parts])


def total(diary: "Diary") -> float:
    """Seconds from each first click to what was then seen, all together."""
    return sum(step.seconds for step in diary.steps)


def rows(steps: "list[Step]") -> list[tuple[str, str, str]]:
    """(what the docs say, what was done, what was seen) of each step."""
    return [(_quoted(step), _cell("; ".join(step.did)), _cell(step.saw)) for step in steps]


def _part(name: str, steps: "list[Step]") -> str:
    lines = [f"## {name}", "", "| the docs say | done | then seen | s |", "|---|---|---|---|"]
    for step, (reads, did, saw) in zip(steps, rows(steps), strict=True):
        seconds = f"{step.seconds:.1f}" if step.page else ""
        lines.append(f"| {reads} | {did} | {saw} | {seconds} |")
    shown = [f"![{PICTURES[name]}](pictures/{name}.webp)" for name in _pictures(steps)]
    return "\n".join([*lines, "", *(line for one in shown for line in (one, ""))])


def _pictures(steps: "list[Step]") -> list[str]:
    return [step.picture for step in steps if step.picture]


def _quoted(step: "Step") -> str:
    if not step.page:
        return "*meanwhile*"
    return f"[{step.page.removesuffix('.md')}]({step.page}): {_cell(step.reads)}"


def _cell(text: str) -> str:
    return text.replace("|", "·").strip("· ")


def _keep(file: Path, shot: bytes) -> None:
    """Without the empty screen around a small page."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    ground = Image.new("RGB", picture.size, "white")
    box = ImageChops.difference(picture, ground).getbbox()
    if box is not None:
        wide, high = picture.size
        left, top, right, bottom = box
        picture = picture.crop(
            (
                max(0, left - EDGE),
                max(0, top - EDGE),
                min(wide, right + EDGE),
                min(high, bottom + EDGE),
            )
        )
    picture.thumbnail((WIDTH, WIDTH))
    picture.save(file, quality=QUALITY, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
