"""One fault found and mended by its runbook alone; and what the walk through all of them has left.

`make bench SUITE=walkthrough` walks by every page, with the rules as they are.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.env import ROOT
from deploy.stack.supervisor import Stack
from tests.bench import runbook, walkpage, walkthrough
from tests.bench.runbook import Desk, Page
from tests.bench.walkthrough import BUCKET, SIGNS, Night, PageFails, Sign
from tests.chaos.person import Person, wait
from tests.metrics.prometheus import MISSING, Prometheus, watching
from tests.metrics.test_the_alerts import RULES

WALKED = json.loads(walkpage.KEPT.read_text())


@pytest.fixture
def night(live: Stack, tmp_path: Path) -> Iterator[Night]:
    """The shared stack; what other tests have made fire is not asked for."""
    if MISSING:
        pytest.skip("prometheus is not installed")
    with watching(live.urls.web, tmp_path, factor=30) as prometheus:
        yield Night(live, prometheus, Person(live.urls.web))


def test_a_hanging_bucket_is_found_and_mended_by_its_page(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sign,) = BUCKET.signs

    def over(one: Night) -> None:
        wait("its end", lambda: sign.alert not in one.firing(), seconds=60, every=0.5)

    monkeypatch.setattr(walkthrough, "quiet", over)
    walkthrough.play(night, BUCKET)
    (walk,) = night.walks
    assert walk.page == "deploy/docs/runbooks/not-ready.md"
    assert 0 < walk.found_after <= walk.read_after < walk.over_after
    assert "bucket" in walk.answers[0]["lines"][-1]


class Imagined(Night):
    """The alert fires, and nothing is wrong: no page leads from there to a mend."""

    def firing(self) -> dict[tuple[str, str], dict[str, str]]:
        (sign,) = BUCKET.signs
        self.seen[sign.alert] = 0.0
        told: dict[str, str] = RULES[sign.alert[0]]["annotations"]
        return {sign.alert: told}


def test_a_page_that_shows_or_says_something_else_fails(live: Stack) -> None:
    (sign,) = BUCKET.signs
    night = Imagined(live, Prometheus(0), Person(live.urls.web))
    for wrong in (
        vars(sign),
        {**vars(sign), "shows": "", "lacks": "ready"},
        {**vars(sign), "shows": "", "reads": "Switch it off and on again."},
    ):
        with pytest.raises(PageFails):
            walkthrough._look(night, Sign(**wrong), BUCKET.mend, 0.0)


def page_of(sign: Sign) -> Page:
    name, _ = sign.instead or sign.alert
    found = Page(ROOT / RULES[name]["annotations"]["runbook_url"])
    return found.linked(sign.then) if sign.then else found


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.fault)
def test_each_page_still_says_what_the_walk_went_by(sign: Sign) -> None:
    assert page_of(sign).says(sign.reads)
    assert page_of(sign).commands


def test_who_runs_a_command_stands_in_the_table(live: Stack) -> None:
    assert runbook.role_of("manage.py backlog") == "upkeep"
    assert runbook.role_of("manage.py verify_ledger") == "migrator"
    with pytest.raises(KeyError):
        runbook.role_of("manage.py paint_the_house")
    with pytest.raises(KeyError):
        page_of(BUCKET.signs[0]).linked("root-late.md")
    answer = Desk(live).type("psql -c 'SELECT count(*) FROM privacy_erasure'")
    assert answer.status == 0
    assert "1 row" in answer.text


def test_the_page_is_what_was_walked_and_every_fault_was_found_and_mended() -> None:
    assert walkpage.page(WALKED) == walkpage.PAGE.read_text()
    assert [walk["fault"] for walk in WALKED["walks"]] == [sign.fault for sign in SIGNS]
    assert len(SIGNS) >= 10
    for walk in WALKED["walks"]:
        assert 0 < walk["found_after"] <= 120, walk["fault"]
        assert walk["read_after"] < walk["over_after"], walk["fault"]
