"""People for the tests that talk to the running stack.

This file is read before Django is set up, so what needs Django is imported late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from deploy.stack.supervisor import Stack
    from tests.api.people import People, Person


@pytest.fixture(scope="session")
def views() -> dict[str, bytes]:
    """Five good photos of one person."""
    from deploy.demo.views import five_views
    from deploy.env import ROOT

    return five_views(ROOT / "deploy" / "demo" / "photo.jpg")


@pytest.fixture(scope="session")
def people(live: Stack, views: dict[str, bytes]) -> Iterator[People]:
    """The crowd."""
    from tests.api.people import People

    crowd = People(live, views)
    yield crowd
    crowd.close()


@pytest.fixture(scope="session")
def signer(people: People) -> Person:
    """Somebody who has signed and has a kept set with a photo; tests leave both as they are."""
    return people.make()


@pytest.fixture(scope="session")
def photo_set(signer: Person) -> str:
    """The signer's kept set."""
    return signer.set_with_photo(keep_hours=24)


@pytest.fixture(scope="session")
def stranger(people: People) -> Person:
    """Somebody else, who has signed and owns nothing."""
    return people.make()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for every test of the try page. Nothing behind them here asks Django's database."""
    from tests.api.visiting import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def keeps_nothing(signer: Person) -> Iterator[None]:
    """Around a test: the signer's sealed things and jobs are the same afterwards."""

    def held() -> tuple[Any, Any]:
        jobs = signer.http.get("/v1/jobs").json()["results"]
        return (
            sorted(blob["id"] for blob in signer.holdings()["sealed"]),
            sorted((job["id"], job["state"]) for job in jobs),
        )

    before = held()
    yield
    assert held() == before
