"""Support does its work by its pages alone, in a browser, and the committed walk is this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.visiting import chromium, wants_a_browser
from tests.staff import walk
from tests.staff.walking import DOCS

if TYPE_CHECKING:
    from tests.api.people import People
    from tests.staff.walking import Diary

pytestmark = [wants_a_browser, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def diary(people: People) -> Diary:
    from tests.staff import story

    with chromium() as browser:
        return story.walk(people, browser)


def test_every_step_ends_with_something_that_stood_on_the_screen(diary: Diary) -> None:
    read = [step for step in diary.steps if step.page]
    assert len(read) > 20
    assert [step.reads for step in read if not (step.did and step.saw)] == []
    assert {step.part for step in read} >= {
        "A failed job is found and explained",
        "A style is retired",
        "A request for a copy of everything is answered",
        'A report "this is my face" is closed',
    }


def test_the_page_in_the_docs_tells_this_walk(diary: Diary) -> None:
    page = (DOCS / walk.PAGE).read_text("utf-8")
    told = [line.rsplit("|", 2)[0] for line in page.splitlines() if line.startswith("| ")]
    now = [f"| {' | '.join(row)} " for row in walk.rows(diary.steps)]
    assert [line for line in now if line not in told] == [], "run make pictures"
    assert set(diary.pictures) == set(walk.PICTURES)
    for name in walk.PICTURES:
        assert f"pictures/{name}.webp" in page
        assert (DOCS / "pictures" / f"{name}.webp").stat().st_size < 80_000
