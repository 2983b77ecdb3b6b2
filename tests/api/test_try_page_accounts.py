"""Accounts on the try page: codes by mail, a forgotten password, other devices, consent taken back.

The browser asks a web of its own where an installation verifies addresses; everything else is the
stack's.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.env import Role
from tests.api.visiting import PASSWORD, Visit, wants_a_browser
from tests.portraits import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from deploy.stack.supervisor import Stack

pytestmark = wants_a_browser
NEW = "another guest, never a resident"


@pytest.fixture(scope="module")
def verifying(live: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a web that lets nobody in before the code that was sent to them."""
    env = {**live.env(Role.WEB), "SITTER_VERIFY_EMAIL": "true"}
    folders = {"ROOT_KEYS": Path(env.pop("SITTER_ROOT_KEYS"))}
    with serving.web(folders, tmp_path_factory.mktemp("verifying") / "log", **env) as web:
        yield web.url


def code_for(mail: Path, email: str) -> str:
    """The code of the newest letter to somebody."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        letters = sorted(mail.glob("*"), key=lambda file: file.stat().st_mtime_ns)
        for text in (file.read_text() for file in reversed(letters)):
            found = re.search(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", text, re.M)
            if f"To: {email}" in text and found:
                return found.group(1)
        time.sleep(0.1)
    pytest.fail("no code was sent")


def test_a_code_opens_the_account(browser: Browser, live: Stack, verifying: str) -> None:
    visit = Visit(browser, verifying)
    page = visit.page
    email = visit.introduce()
    page.locator("#code:focus").wait_for()
    assert not page.is_visible("#new-password")
    visit.accessible("code")
    page.fill("#code", "WRONG-1")
    page.click("#code-go")
    page.locator("#code-form .refusal", has_text=" ").wait_for()
    page.fill("#code", code_for(live.folders.mail, email))
    page.click("#code-go")
    visit.stage("consent", "active")
    assert email in page.inner_text("#account-done")
    visit.clean()


def test_a_forgotten_password_is_set_anew_and_ends_other_sessions(
    browser: Browser, live: Stack
) -> None:
    visit, elsewhere = Visit(browser, live.urls.web), Visit(browser, live.urls.web)
    email = visit.sign_up()
    page = visit.page
    page.click("#sign-out")
    there = elsewhere.page
    there.goto("/try/")
    there.click(".switch [data-mode=login]")
    there.fill("#email", email)
    there.fill("#password", PASSWORD)
    there.click("#account-go")
    elsewhere.stage("consent", "active")

    page.click(".switch [data-mode=login]")
    page.click(".plain[data-mode=forgot]")
    assert not page.is_visible("#password")
    page.fill("#email", email)
    page.click("#account-go")
    page.locator("#code:focus").wait_for()
    page.fill("#code", code_for(live.folders.mail, email))
    page.fill("#new-password", NEW)
    page.click("#code-go")
    visit.stage("consent", "active")
    there.click("#refresh")
    elsewhere.stage("account", "active")
    visit.clean()
    elsewhere.context.close()


def test_another_device_is_signed_out_from_here(browser: Browser, live: Stack) -> None:
    visit, phone = Visit(browser, live.urls.web), Visit(browser, live.urls.web)
    email = visit.sign_up()
    phone.page.goto("/try/")
    phone.page.click(".switch [data-mode=login]")
    phone.page.fill("#email", email)
    phone.page.fill("#password", PASSWORD)
    phone.page.click("#account-go")
    phone.stage("consent", "active")
    visit.page.click("#devices summary")
    visit.page.locator("#device-list button").wait_for()
    visit.accessible("devices")
    visit.page.click("#device-list button")
    visit.page.locator("#device-list button").wait_for(state="detached")
    assert visit.page.locator("#device-list li").count() == 1
    phone.page.click("#refresh")
    phone.stage("account", "active")
    visit.clean()
    phone.context.close()


def test_a_consent_is_taken_back_with_one_press(
    browser: Browser, live: Stack, views: dict[str, bytes]
) -> None:
    visit = Visit(browser, live.urls.web)
    page = visit.page
    visit.sign_up()
    visit.sign()
    visit.hand_in("front", views["front"])
    assert visit.verdict("front") == "accepted"
    page.click("#withdraw")
    visit.stage("consent", "active")
    visit.stage("photos", "waiting")
    assert page.is_disabled("[data-from=photos]")
    page.locator("#held tr", has_text="Cleaned photo").wait_for(state="detached")
    visit.sign()
    assert page.get_attribute(".slot:has(#photo-front)", "data-state") is None
    visit.clean()
