"""What the try page can have painted: from choices, as a pack, and from a portrait."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.api.visiting import PHONE, Visit, wants_a_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from deploy.stack.supervisor import Stack

pytestmark = wants_a_browser


def test_somebody_who_does_not_exist_needs_no_photo_and_no_consent(
    browser: Browser, live: Stack
) -> None:
    visit = Visit(browser, live.urls.web, viewport=PHONE, locale="de-DE", color_scheme="dark")
    page = visit.page
    visit.sign_up()
    assert page.get_attribute("#step-photos", "data-state") == "waiting"
    assert page.is_disabled("[data-from=photos]")
    page.select_option("#choice-subject", "older_woman")
    page.select_option("#choice-hair", "curly")
    page.select_option("#shape", "headshot")
    page.check("#style-comic")
    visit.accessible("choices")
    with page.expect_request("**/v1/jobs") as asking:
        page.click("#paint")
    asked = json.loads(str(asking.value.post_data))
    assert "reference_set" not in asked
    (item,) = asked["items"]
    assert (item["style"], item["size"]) == ("comic", "headshot")
    assert (item["prompt"]["subject"], item["prompt"]["hair"]) == ("older_woman", "curly")
    visit.painted(1)
    assert "ausgedacht" in page.inner_text("#gallery")
    visit.shot("choices")
    # What was chosen is still chosen in another language.
    page.click("[data-language=en]")
    page.locator("label[for=choice-hair]", has_text="Hair").wait_for()
    assert page.input_value("#choice-hair") == "curly"
    visit.clean()


def test_a_pack_comes_as_one_file(browser: Browser, live: Stack, views: dict[str, bytes]) -> None:
    visit = Visit(browser, live.urls.web)
    page = visit.page
    visit.sign_up()
    visit.sign()
    visit.hand_in("front", views["front"])
    assert visit.verdict("front") == "accepted"
    page.check("#style-passthrough")
    page.select_option("#variations", "3")
    with page.expect_request("**/v1/jobs") as asking:
        page.click("#paint")
    pack = json.loads(str(asking.value.post_data))["pack"]
    assert pack == {"styles": ["passthrough"], "variations": 3}
    visit.painted(3)
    assert page.locator("#items li").count() == 0
    with page.expect_download() as saving:
        page.click("#archive")
    archive = zipfile.ZipFile(io.BytesIO(Path(saving.value.path()).read_bytes()))
    assert len(archive.namelist()) == 3
    visit.clean()


def test_a_portrait_becomes_others_and_is_lent_once(browser: Browser, live: Stack) -> None:
    visit = Visit(browser, live.urls.web)
    page = visit.page
    visit.sign_up()
    page.locator("#choice-hair").wait_for()
    page.check("#style-comic")
    page.click("#paint")
    visit.painted(1)
    for number, (change, field) in enumerate(
        [("variation", None), ("restyle", "#change-style"), ("upscale", "#change-detail")], 2
    ):
        visit.view()
        page.select_option("#change", change)
        if field:
            assert page.is_visible(field)
        with page.expect_request("**/v1/jobs") as asking:
            page.click("#change-go")
        (item,) = json.loads(str(asking.value.post_data))["items"]
        assert item["source"]["change"] == change
        visit.painted(number)
    text = page.inner_text("#gallery")
    assert "enlarged" in text
    assert "from a portrait" in text

    visit.view()
    page.click("#viewer-share")
    page.locator("#viewer-lent").wait_for()
    visit.accessible("lent")
    opened = """async (url) => (await fetch(url)).status"""
    url = page.input_value("#viewer-url")
    assert [page.evaluate(opened, url) for _ in range(2)] == [200, 404]
    page.click("#viewer-shorten")
    page.locator("#viewer-ends", has_text="23 h").wait_for()
    # A portrait that ends soon says so, here and in what is held.
    page.locator("#gallery .soon").wait_for(state="attached")
    page.click("#viewer-longer")
    page.locator("#viewer-ends", has_text="364 days").wait_for()
    page.click("#viewer button[data-say=close]")
    page.locator("#gallery .soon").wait_for(state="detached")
    visit.clean()
