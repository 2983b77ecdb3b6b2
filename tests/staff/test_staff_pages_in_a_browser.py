"""Each role signs in with a browser and follows every link: no face, no prompt, no address.

A page of each sort is opened in the browser, with all that it loads, by the first role that comes
to it; what comes of the others is asked for with the same cookies and looked through unpainted.

Nothing here may use Django's database: Playwright keeps an event loop in its thread.
"""

from __future__ import annotations

import html
import io
import re
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Error

from deploy.staff.qr import QUIET, SCALE
from tests.api.people import PASSWORD, People, Person
from tests.api.visiting import Visit, chromium, wants_a_browser
from tests.figures import figure
from tests.staff.entering import code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROLES = ("support", "content", "privacy", "operator", "auditor")
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"\x00\x00\x01\x00", b"ftypavif")
# Files of the pages, and what a style looks like on the drawn subject, who is nobody.
OURS = re.compile(r"/static/|/admin/flower/static/|/admin/portraits/style/[0-9a-f-]{36}/picture/$")
ADDRESS = re.compile(r"[\w.+-]+@example\.(?:org|com)")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=/)\d+(?=/)")
LINK = re.compile(r'<a\b[^>]*?\shref="([^"]*)"')
# Of things of one kind, so many are opened, beside the guest's own.
EACH = 1

pytestmark = [wants_a_browser, pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def canary() -> str:
    """A word that no other page has, as somebody's own words for a portrait."""
    return f"canary{secrets.token_hex(6)}"


@dataclass(frozen=True)
class Guest:
    """Whom staff may not see, and the ids of what is theirs."""

    person: Person
    things: frozenset[str]


@pytest.fixture(scope="module")
def guest(people: People, canary: str) -> Guest:
    """Somebody with portraits, a report, kept photos, words of their own and a copy to fetch."""
    person = people.make()
    job = person.ended(person.submit(person.set_with_photo(keep_hours=1)).json()["id"])
    portrait = job["items"][0]["portrait"]
    said = person.http.post(f"/v1/portraits/{portrait}/report", json={"reason": "not_me"})
    assert said.status_code < 300, said.text
    words = {"items": [{"style": "passthrough", "prompt": {"words": f"a {canary} in a hat"}}]}
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    ordered = person.http.post("/v1/jobs", json=words, headers=headers)
    assert ordered.status_code < 300, ordered.text
    written = person.ended(ordered.json()["id"])
    # The control: its owner reads it.
    asked = f"/v1/portraits/{written['items'][0]['portrait']}/prompt"
    assert canary in person.http.get(asked).text
    person.export()
    ids = [str(person.id)]
    for each in (job, written):
        ids += [each["id"], *(item["id"] for item in each["items"])]
    return Guest(person, frozenset(ids))


def sign_in(visit: Visit, person: Person, *, looks: bool) -> None:
    """As a member of staff does it on their first day; the pages are the same for every role."""
    page = visit.page
    page.goto("/admin/")
    if looks:
        visit.accessible("signing in")
    page.fill("[name=email]", person.email)
    page.fill("[name=password]", PASSWORD)
    page.click("#login-form button[type=submit]")
    page.wait_for_url("**/admin/enrol/**")
    if looks:
        visit.accessible("setting up")
    page.fill("[name=code]", code(page.inner_text("#secret")))
    page.click("#enrol-form button[type=submit]")
    page.wait_for_selector("#codes")
    if looks:
        visit.accessible("recovery codes")
    page.get_by_role("link", name="Go on").click()
    page.wait_for_url("**/admin/")


class Crawl:
    """Follows every link of the admin and looks at every byte that comes."""

    def __init__(
        self, visit: Visit, person: Person, guest: Guest, canary: str, whole: set[str]
    ) -> None:
        self.visit, self.own = visit, person.email
        self.bad = {guest.person.email: "address", canary: "prompt", "Grace Hopper": "typed name"}
        self.guest, self.whole = guest.things, whole
        self.found: list[tuple[str, str]] = []
        self.missed: list[str] = []
        self.bytes = self.pages = 0
        self.kinds: Counter[str] = Counter()
        visit.page.on("response", self.look)

    def look(self, response: Any) -> None:
        """One answer, whatever asked for it."""
        path = urlsplit(response.url).path
        if response.status >= 500:
            self.found.append((path, f"status {response.status}"))
        if OURS.match(path) or response.status in (301, 302, 304):
            return
        try:
            body = response.body()
        except Error:
            # The browser has gone on and forgotten it; it is asked for once more at the end.
            self.missed.append(response.url)
            return
        self.judge(path, body, response.headers.get("content-type", ""))

    def judge(self, path: str, body: bytes, kind: str) -> None:
        self.bytes += len(body)
        if kind.startswith("image/") or any(mark in body[:64] for mark in PICTURES):
            self.found.append((path, "a picture"))
        text = body.decode("utf-8", "replace")
        self.found += [(path, what) for word, what in self.bad.items() if word in text]
        self.found += [(path, "address") for one in ADDRESS.findall(text) if one != self.own]
        if "/v1/portraits" in text or "data:image" in text:
            self.found.append((path, "a way to a picture"))

    def follow(self) -> None:
        todo, seen = ["/admin/"], {"/admin/"}
        while todo:
            path = todo.pop(0)
            status, links = self.ask(path) if kind(path) in self.whole else self.open(path)
            # A thing may lead to another that is none of this role's, and Flower to a worker that
            # has ended.
            gone = status == 404 and path.startswith("/admin/flower/worker/")
            assert status < 400 or status == 403 or gone, (path, status)
            self.pages += 1
            for link in links:
                where = self.ours(urljoin(path, link), path)
                if where and where not in seen:
                    seen.add(where)
                    todo.append(where)
        for url in self.missed:
            again = self.visit.context.request.get(url)
            what = again.headers.get("content-type", "")
            self.judge(urlsplit(url).path, again.body(), what)

    def open(self, path: str) -> tuple[int, list[str]]:
        """(status, where it leads) of a page in the browser; every answer to it is looked at."""
        self.whole.add(kind(path))
        answer = self.visit.page.goto(path)
        assert answer is not None
        links: list[str] = self.visit.page.eval_on_selector_all(
            "a[href]", "nodes => nodes.map(node => node.getAttribute('href'))"
        )
        return answer.status, links

    def ask(self, path: str) -> tuple[int, list[str]]:
        """The same of its bytes alone."""
        answer = self.visit.context.request.get(path)
        body = answer.body()
        self.judge(path, body, answer.headers.get("content-type", ""))
        return answer.status, [
            html.unescape(link) for link in LINK.findall(body.decode("utf-8", "replace"))
        ]

    def ours(self, link: str, here: str) -> str | None:
        """Where to go next: each page, each filter alone, and of things a few of each kind."""
        parts = urlsplit(link)
        if parts.netloc not in ("", urlsplit(self.visit.page.url).netloc):
            return None
        if not parts.path.startswith("/admin/") or parts.path.startswith("/admin/flower/static/"):
            return None
        if parts.query and urlsplit(here).query:
            return None
        sort = kind(link)
        self.kinds[sort] += 1
        many = "*" in sort or "?" in sort or sort.startswith("/admin/flower/task/")
        theirs = any(one in link for one in self.guest)
        if many and self.kinds[sort] > EACH and not theirs:
            return None
        return parts.path + (f"?{parts.query}" if parts.query else "")


def kind(link: str) -> str:
    """Of pages that differ by the thing, or by the value of a filter, alone."""
    parts = urlsplit(link)
    return ID.sub("*", parts.path) + ("?" + parts.query.partition("=")[0]) * bool(parts.query)


@pytest.fixture(scope="module")
def crawled() -> list[Crawl]:
    """What the roles before have seen."""
    return []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_no_face_no_prompt_and_no_address(
    browser: Browser,
    people: People,
    guest: Guest,
    canary: str,
    crawled: list[Crawl],
    role: str,
) -> None:
    person = people.make(signed=False, role=role)
    visit = Visit(browser, people.live.urls.web)
    sign_in(visit, person, looks=not crawled)
    whole = set[str]().union(*(each.whole for each in crawled))
    crawl = Crawl(visit, person, guest, canary, whole)
    crawl.follow()
    visit.context.close()
    crawled.append(crawl)
    found = [one for each in crawled for one in each.found]
    figure(
        "A-06",
        value=len(found),
        n=sum(each.pages for each in crawled),
        holds=not found,
        conditions="a browser signed in as each role followed every link of the admin, with every"
        " answer's bytes looked through",
    )
    assert crawl.found == []
    assert crawl.pages > 3


def test_the_square_of_the_second_factor_is_white_around_on_a_dark_page(
    browser: Browser, people: People
) -> None:
    person = people.make(signed=False, role="auditor")
    visit = Visit(browser, people.live.urls.web, color_scheme="dark")
    page = visit.page
    page.goto("/admin/")
    page.fill("[name=email]", person.email)
    page.fill("[name=password]", PASSWORD)
    page.click("#login-form button[type=submit]")
    square = page.get_by_role("img", name="QR code of the key beneath it")
    shown = Image.open(io.BytesIO(square.locator("svg").screenshot())).convert("L")
    edge = QUIET * SCALE - 1
    assert shown.crop((1, 1, shown.width - 1, edge)).getextrema() == (255, 255)
    assert shown.getextrema() == (0, 255)
    around = page.evaluate("getComputedStyle(document.getElementById('page')).backgroundColor")
    assert "255" not in around
    visit.accessible("setting up, in the dark")
    visit.clean()


def test_a_passkey_is_made_and_used_in_the_browser(browser: Browser, people: People) -> None:
    """Chromium's own authenticator, in software; passkeys here belong to localhost."""
    person = people.make(signed=False, role="auditor")
    visit = Visit(browser, people.live.urls.web.replace("127.0.0.1", "localhost"))
    page = visit.page
    tool = visit.context.new_cdp_session(page)
    tool.send("WebAuthn.enable")
    tool.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    for first in (True, False):
        page.goto("/admin/")
        page.fill("[name=email]", person.email)
        page.fill("[name=password]", PASSWORD)
        page.click("#login-form button[type=submit]")
        page.click("#passkey-go")
        if first:
            page.wait_for_selector("#codes")
            page.get_by_role("link", name="Go on").click()
        page.wait_for_url("**/admin/")
        visit.context.clear_cookies()
    assert visit.said == []
    visit.context.close()
