"""A visit to the try page in a real browser, for the tests that go there and for its pictures.

Nothing here may use Django's database: Playwright keeps an event loop in its thread.
"""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

# The same browser without a window takes a quarter less of the processor.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
PASSWORD = "a guest, never a resident"
PHONE = {"width": 390, "height": 844}
SHOTS = Path("var/try")
SLOTS = ("front", "three_quarter_left", "three_quarter_right", "half_body", "full_body")
# A busy machine looks at photos and paints slowly.
PATIENCE = 60_000
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

wants_a_browser = pytest.mark.skipif(
    CHROMIUM is None and "SITTER_TEST_BROWSER" not in os.environ,
    reason="needs Debian's chromium",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a network of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


class Visit:
    """One tab, and everything that it asked for or complained about."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        # Without a card, what moves is drawn by the processor, which others work with.
        still = {"reduced_motion": "reduce", **options}
        self.context = browser.new_context(base_url=url, **still)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda one: self.asked.append(one.url))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda line: self._note(line))

    def _note(self, line: Any) -> None:
        # A refusal is an answer, and Chromium writes each down as an error.
        if line.type == "error" and "the server responded with a status of 4" not in line.text:
            self.said.append(line.text)

    def accessible(self, where: str) -> None:
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        told = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
        assert told == [], where

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)

    def stage(self, name: str, state: str) -> None:
        self.page.locator(f"#step-{name}[data-state={state}]").wait_for()

    def introduce(self) -> str:
        """Say who one is, and send it."""
        email = f"grace.{uuid.uuid4().hex[:12]}@example.org"
        self.page.goto("/try/")
        self.page.fill("#email", email)
        self.page.fill("#password", PASSWORD)
        self.page.select_option("#region", "other")
        self.page.check("#is_adult")
        self.page.click("#account-go")
        return email

    def sign_up(self) -> str:
        email = self.introduce()
        self.stage("consent", "active")
        return email

    def sign(self) -> None:
        self.page.fill("#typed_name", "Grace Hopper")
        self.page.check("#agree")
        self.page.click("#consent-form .primary")
        self.stage("photos", "active")

    def hand_in(self, slot: str, photo: bytes) -> None:
        self.page.set_input_files(
            f"#photo-{slot}",
            {"name": f"{slot}.jpg", "mimeType": "image/jpeg", "buffer": photo},
        )

    def verdict(self, slot: str) -> str:
        item = self.page.locator(f".slot:has(#photo-{slot})")
        item.and_(self.page.locator("[data-state=accepted], [data-state=refused]")).wait_for()
        return str(item.get_attribute("data-state"))

    def painted(self, count: int) -> None:
        """So many portraits hang in the gallery, and nothing is being painted."""
        self.page.locator("#gallery li").nth(count - 1).wait_for()
        self.page.locator("#cancel").wait_for(state="hidden")

    def view(self, number: int = 0) -> None:
        self.page.locator("#gallery button.picture").nth(number).click()
        self.page.locator("#viewer[open]").wait_for()

    def erase(self, password: str) -> None:
        self.page.click("#erase")
        self.page.fill("#leave-password", password)
        self.page.click("#leave-form .danger")

    def clean(self) -> None:
        """Nothing went wrong unseen, and nobody else was asked for anything."""
        assert self.said == []
        hosts = {urlsplit(url).netloc for url in self.asked if not url.startswith("blob:")}
        assert hosts == {urlsplit(self.page.url).netloc}
        self.context.close()

    def styles(self) -> list[str]:
        """Those that can be painted now."""
        rows = self.page.evaluate("fetch('/v1/styles').then((answer) => answer.json())")
        return [row["id"] for row in rows if row["available"]]
