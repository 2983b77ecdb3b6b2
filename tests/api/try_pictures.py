"""The pictures of the try page in the docs, taken of the running stack: `make pictures`.

Whoever is painted is Grace Hopper, from the demo's public-domain photo (deploy/demo/SOURCES.md).
"""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from deploy.demo.views import five_views
from deploy.env import ROOT
from tests.api.visiting import PHONE, SLOTS, Visit, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DESK = {"width": 1100, "height": 800}
STYLES = ("watercolour", "pencil", "comic", "linocut")
QUALITY = 72


def main(folder: Path) -> None:
    """A welcome and a gallery at a desk, a visit on a phone in the dark."""
    url = os.environ["SITTER_URL"]
    with chromium() as browser:
        desk = _painted(browser, url, viewport=DESK, locale="en-GB", color_scheme="light")
        _keep(folder / "try.webp", [desk])
        phone: dict[str, Any] = {"viewport": PHONE, "locale": "de-DE", "color_scheme": "dark"}
        _keep(folder / "try-phone.webp", _on_a_phone(browser, url, **phone))


def _painted(browser: Browser, url: str, **options: Any) -> bytes:
    """The gallery, and what is held beneath it."""
    visit = Visit(browser, url, **options)
    _paint(visit)
    visit.page.evaluate("document.getElementById('step-portraits').scrollIntoView()")
    return _settled(visit)


def _on_a_phone(browser: Browser, url: str, **options: Any) -> list[bytes]:
    """The welcome, the photos with their verdicts, a portrait."""
    visit = Visit(browser, url, **options)
    visit.page.goto("/try/")
    visit.stage("account", "active")
    shots = [_settled(visit)]
    _paint(visit, shots)
    visit.view()
    return [*shots, _settled(visit)]


def _paint(visit: Visit, shots: list[bytes] | None = None) -> None:
    page, views = visit.page, five_views(ROOT / "deploy" / "demo" / "photo.jpg")
    visit.sign_up()
    visit.sign()
    for slot in SLOTS:
        visit.hand_in(slot, views[slot])
        visit.verdict(slot)
    if shots is not None:
        page.evaluate("document.getElementById('step-photos').scrollIntoView()")
        shots.append(_settled(visit))
    for style in STYLES:
        page.check(f"#style-{style}")
    page.click("#paint")
    visit.painted(len(STYLES))


def _settled(visit: Visit) -> bytes:
    """Without the sentence at the bottom, which comes and goes."""
    visit.page.evaluate("document.getElementById('status').textContent = ''")
    time.sleep(1)
    return visit.page.screenshot()


def _keep(file: Path, shots: list[bytes]) -> None:
    """Side by side, small."""
    pictures = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    gap = 24
    width = sum(one.width for one in pictures) + gap * (len(pictures) - 1)
    sheet = Image.new("RGB", (width, pictures[0].height), "white")
    left = 0
    for one in pictures:
        sheet.paste(one, (left, 0))
        left += one.width + gap
    sheet.save(file, quality=QUALITY, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
