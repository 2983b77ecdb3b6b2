"""Support staff answer each kind of request with deploy/docs/requests.md alone, step by step."""

import re
import time
from typing import Any

import httpx
import pytest

from deploy.env import ROOT
from tests.api.forms import Desk
from tests.api.people import People, Person
from tests.staff.entering import enter

DOCS = (ROOT / "deploy" / "docs" / "requests.md").read_text()
LIST = "/admin/privacy/case/"
FOUND = "We have looked and found nothing of yours."
KINDS = {
    "access": "A copy of everything",
    "deletion": "A deletion",
    "correction": "A correction",
    "objection": "An objection",
    "abuse": "Abuse",
}


def steps(heading: str) -> list[str]:
    """The numbered steps of a section, each in one line."""
    section = re.split(r"\n## ", DOCS.split(f"\n## {heading}\n")[1])[0]
    found = re.findall(r"^\d+\. (.+(?:\n   .+)*)", section, re.MULTILINE)
    return [" ".join(step.split()) for step in found]


def bold(step: str) -> list[str]:
    return re.findall(r"\*\*(.+?)\*\*", step)


class Walk:
    """Follows the page. What it types where stands in `typed`; what the person does, it does."""

    def __init__(self, desk: Desk, number: str, person: Person | None = None) -> None:
        self.desk, self.number, self.person = desk, number, person
        self.typed = {"What you write to the person": FOUND}
        self.done: list[str] = []

    def section(self, heading: str) -> None:
        for step in steps(heading):
            if "[every request](#every-request)" in step and step.startswith("Do the steps"):
                self.section("Every request")
                continue
            for word in bold(step):
                self.word(word)
                self.done.append(word)

    def word(self, word: str) -> None:
        desk = self.desk
        if word == "Requests":
            desk.open(f"{LIST}?q={self.number}" if self.number else LIST)
            (found,) = {link for link in desk.page.links if f"{self.number}/change/" in link}
            desk.open(str(httpx.URL(f"{LIST}").join(found)))
        elif word == "proven by a fresh sign-in":
            self.confirm()
            desk.open(f"{LIST}{self.number}/change/")
            assert word in desk.answer.text
        else:
            typed = word in self.typed and desk.type(word, self.typed[word])
            assert typed or desk.choose(word) or desk.press(word), f"The page has no {word}."

    def confirm(self) -> None:
        assert self.person is not None
        assert self.person.confirm().status_code == 200
        proven = self.person.http.post(f"/v1/me/requests/{self.number}/proof")
        assert proven.json()["identity"] == "proven"


@pytest.fixture(scope="module")
def browser(people: People) -> httpx.Client:
    return enter(people, people.make(signed=False, staff=True))


def answered(people: People, browser: httpx.Client, kind: str) -> tuple[Person, Any, Walk]:
    """(who asked, what the API says of it behind the walk, the walk)."""
    person = people.make()
    body = {"kind": kind, "words": "Please help me.", "language": "en"}
    made = person.http.post("/v1/me/requests", json=body)
    assert made.status_code == 202
    walk = Walk(Desk(browser), made.json()["id"], person)
    walk.section(KINDS[kind])
    with people.client() as nobody:
        told = nobody.get(f"/v1/requests/{walk.number}").json()
    assert (told["state"], told["outcome"]) == ("closed", "done"), walk.desk.answer.text[-3000:]
    for page in walk.desk.seen:
        assert person.email not in page
        assert "/v1/portraits" not in page
        assert not re.search(r'<img[^>]+src="(?!/static/)', page)
    return person, told, walk


def test_a_copy_is_answered(people: People, browser: httpx.Client) -> None:
    person, told, walk = answered(people, browser, "access")
    assert walk.done[:4] == [
        *("Requests", "Take the request", "Show what was written", "Send the first answer"),
    ]
    assert person.http.get(told["receipt"]).json()["state"] in ("requested", "ready")
    assert told["receipt"] in walk.desk.answer.text


def test_a_deletion_is_answered_and_its_receipt_needs_no_account(
    people: People, browser: httpx.Client
) -> None:
    person, told, walk = answered(people, browser, "deletion")
    assert told["receipt"] in walk.desk.answer.text
    assert person.http.get("/v1/me/holdings").status_code == 401
    deadline = time.monotonic() + 30
    with people.client() as nobody:
        while nobody.get(told["receipt"]).json()["stage"] != "proved":
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_correction_is_answered(people: People, browser: httpx.Client) -> None:
    person, _, _ = answered(people, browser, "correction")
    assert person.holdings()["account"]["region"] == "us_il"


def test_an_objection_is_answered(people: People, browser: httpx.Client) -> None:
    person, told, _ = answered(people, browser, "objection")
    assert person.http.get(told["receipt"]).json()[0]["verb"] == "withdrawn"
    assert person.http.post("/v1/reference-sets", json={}).status_code == 403


def test_a_report_of_abuse_is_answered(people: People, browser: httpx.Client) -> None:
    answered(people, browser, "abuse")


def test_a_report_this_is_my_face_is_closed(people: People, browser: httpx.Client) -> None:
    contact = f"{time.time_ns()}@example.org"
    body = {"contact": contact, "words": "This is my face.", "language": "de"}
    with people.client() as nobody:
        claim = nobody.post("/v1/face-claims", json=body).json()["id"]
        desk = Desk(browser)
        desk.open(f"{LIST}?kind__exact=face&state__exact=open")
        numbers = re.findall(rf"{LIST}([0-9a-f-]{{36}})/change/", desk.answer.text)
        assert numbers
        for number in dict.fromkeys(numbers):
            walk = Walk(desk, number)
            walk.section("This is my face")
            assert contact not in "".join(desk.seen)
        assert nobody.get(f"/v1/face-claims/{claim}").json()["state"] == "closed"


def test_a_letter_is_noted_and_told_twice_is_one(people: People, browser: httpx.Client) -> None:
    person = people.make()
    desk = Desk(browser)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    given = {"Account": person.email, "Received on": today, "What was asked": "Delete me, please."}
    words = [word for step in steps("A letter or a mail") for word in bold(step)]
    assert words[:2] == ["Requests", "Add request"]
    desk.open(LIST)
    assert any(link.endswith("/privacy/case/add/") for link in desk.page.links)
    desk.open(f"{LIST}add/")
    assert desk.choose("deletion")
    for word in words[2:-1]:
        assert any(word in form.labels for form in desk.page.forms), word
        if word in given:
            assert desk.type(word, given[word])
    assert desk.press(words[-1])
    assert "Noted. Take it" in desk.answer.text
    assert person.email not in desk.answer.text
    listed = person.http.get("/v1/me/requests").json()
    assert [(row["kind"], row["identity"]) for row in listed] == [("deletion", "none")]


def test_every_sentence_that_the_page_explains_is_said_by_the_code() -> None:
    from privacy.desk import errors
    from privacy.errors import LedgerDown, OwnerErased, PrivacyError

    table = DOCS.split("\n## When something is refused\n")[1]
    said = [line.split("|")[1].strip() for line in table.splitlines()[3:] if line.startswith("|")]
    told = [heir.sentence for heir in PrivacyError.__subclasses__()]
    told += ["There is no consent to withdraw."]
    assert {errors.CaseTaken, LedgerDown, OwnerErased} <= set(PrivacyError.__subclasses__())
    assert len(said) > 5
    assert [line for line in said if not any(one.startswith(line) for one in told)] == []
