"""Somebody on staff at a browser who does what a page of the docs says, and what they then saw.

A step begins with the sentence that is read, word for word as it stands in the docs, so that a walk
fails where the docs have moved on. Links, buttons and fields are found by the words that stand on
the screen, never by an address. Nothing here may use Django's database: Playwright keeps an event
loop in its thread.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as NeverShown

from deploy.env import ROOT
from tests.api.visiting import Visit
from tests.staff.entering import PERIOD, code

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

    from tests.api.people import Person

DOCS = ROOT / "deploy" / "docs"
DESK = {"width": 1440, "height": 900}
# Milliseconds for an answer to stand on the screen, on a busy machine.
SOON = 30_000


@cache
def prose(page: str) -> str:
    """A page of the docs in one line."""
    return " ".join((DOCS / page).read_text("utf-8").split())


@dataclass
class Step:
    """What was read where, what was done, what was then seen, and after how many seconds."""

    part: str
    reads: str
    page: str
    did: list[str] = field(default_factory=list)
    saw: str = ""
    seconds: float = 0.0
    picture: str = ""


@dataclass
class Diary:
    """Everything that was done, in order; a step without a page is what somebody else did."""

    steps: list[Step] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    part: str = ""

    def meanwhile(self, what: str) -> None:
        """Something that no member of staff did."""
        self.steps.append(Step(self.part, "", "", [what]))


class Walker:
    """One member of staff, from their first sign-in on."""

    def __init__(self, browser: Browser, url: str, diary: Diary, me: Person) -> None:
        self.visit = Visit(browser, url, viewport=DESK, locale="en-GB", color_scheme="light")
        self.page, self.diary, self.me = self.visit.page, diary, me
        self.secret, self._used, self._began = "", 0, 0.0

    # --- Reading and seeing -------------------------------------------------------------------

    def read(self, page: str, sentence: str) -> None:
        """Begin a step with what the docs say."""
        assert sentence in prose(page), f"{page} does not say: {sentence}"
        self._step = Step(self.diary.part, sentence, page)
        self.diary.steps.append(self._step)
        self._began = time.monotonic()

    def sees(self, words: str, *, noted: str = "") -> None:
        """Wait until it stands on the screen; `noted` is what the diary says of it instead."""
        try:
            self._shown(self.page.get_by_text(words)).wait_for(timeout=SOON)
        except NeverShown:
            shown = self.page.inner_text("body")
            raise AssertionError(f"{words} does not stand on the screen, but:\n{shown}") from None
        self._step.saw = noted or words
        self._step.seconds = time.monotonic() - self._began

    def has(self, label: str, words: str, *, noted: str) -> None:
        """The field with this label holds them, and none beside it."""
        assert self._field(label).input_value() == words
        self._step.saw = noted
        self._step.seconds = time.monotonic() - self._began

    def shot(self, name: str) -> None:
        """A picture of the screen, as this step left it."""
        self._step.picture = name
        self.page.wait_for_load_state("networkidle")
        self.diary.pictures[name] = self.page.screenshot()

    # --- Doing --------------------------------------------------------------------------------

    def link(self, words: str, *, noted: str = "") -> None:
        """Click a link. Icons are words to a reader of the page, and stand before it."""
        name = re.compile(rf"(^|\s){re.escape(words)}$")
        self._shown(self.page.get_by_role("link", name=name)).click()
        self._did(noted or f"clicked **{words}**")

    def row(self, words: str, *, within: str = "", noted: str) -> None:
        """Click what a list has found."""
        rows = self.page.get_by_role("row")
        found = rows.filter(has_text=within) if within else rows
        self._shown(found.get_by_role("link", name=words)).click()
        self._did(noted)

    def ticks(self, within: str) -> None:
        """The first of a list that has these words."""
        row = self._shown(self.page.get_by_role("row").filter(has_text=within))
        row.get_by_role("checkbox").first.check()
        self._did("ticked it")

    def button(self, words: str) -> None:
        """Press it."""
        self._shown(self.page.get_by_role("button", name=words, exact=True)).click()
        self._did(f"pressed **{words}**")

    def search(self, words: str, *, noted: str) -> None:
        """Type into the search of a list, and press Enter."""
        box = self.page.get_by_role("search").get_by_role("textbox")
        box.fill(words)
        box.press("Enter")
        self._did(f"searched for {noted}")

    def types(self, label: str, words: str, *, noted: str) -> None:
        """Fill in the field with this label."""
        self._field(label).fill(words)
        self._did(f"typed {noted} into **{label}**")

    def chooses(self, label: str, option: str) -> None:
        """An entry of a list."""
        self._field(label).select_option(label=option)
        self._did(f"chose **{option}** under **{label}**")

    def scans(self) -> None:
        """The square is there; what it says is typed under it as well, and that is read here."""
        self.page.get_by_role("img", name="QR code of the key beneath it").wait_for()
        self.secret = self.page.inner_text("#secret")
        self._did("let the app look at the square")

    def picks(self, option: str) -> None:
        """What is to be done with all that was ticked; the list of acts has no label."""
        acts = self._shown(self.page.get_by_role("combobox").filter(has_text=option))
        acts.select_option(label=option)
        self._did(f"chose **{option}**")

    def types_a_code(self) -> None:
        """What the app on their phone shows; each counts once, so perhaps the next."""
        while int(time.time()) // PERIOD <= self._used:
            time.sleep(0.5)
        said = code(self.secret)
        self._used = int(time.time()) // PERIOD
        self.types("Code", said, noted="the six digits")

    def comes_in(self, password: str) -> None:
        """The whole first sign-in, for somebody of whom it is not noted click by click."""
        noted, self._step.did = self._step.did, []
        self.opens()
        self.types("E-mail", self.me.email, noted="")
        self.types("Password", password, noted="")
        self.button("Continue")
        self.scans()
        self.types_a_code()
        self.button("Continue")
        self.link("Go on")
        self._step.did = [*noted, "signed in for the first time, as above"]

    def notes(self, what: str) -> None:
        """Something that is done elsewhere than at this screen."""
        self._did(what)

    def reloads(self) -> None:
        """Look at the page anew."""
        self.page.reload()
        self._did("looked at the page again")

    def opens(self) -> None:
        """The one address that staff are told."""
        self.page.goto("/admin/")
        self._did("opened the address of the admin")

    def leaves(self) -> None:
        """Nothing went wrong unseen, and nobody else was asked for anything."""
        self.visit.clean()

    def _did(self, what: str) -> None:
        self._step.did.append(what)

    def _field(self, label: str) -> Locator:
        return self._shown(self.page.get_by_label(re.compile(rf"^\s*{re.escape(label)}")))

    def _shown(self, found: Locator) -> Locator:
        return found.filter(visible=True).first
