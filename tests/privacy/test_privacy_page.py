"""The privacy page: whole, in two languages, without anything that comes from elsewhere."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from privacy import policy
from privacy.answers import ANSWERS

VOID = {"meta", "link", "br", "img", "rect", "input", "hr"}


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects attributes and headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.seen if tag == name]


def get(query: str = "", **headers: str) -> Any:
    return Client(HTTP_HOST="localhost").get(f"/privacy{query}", headers=headers)


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "de-AT,de;q=0.9,en;q=0.5", "de"),
        ("", "fr;q=1,de;q=0.5", "de"),
        ("", "fr", "en"),
        ("", "x" * 300, "en"),
        ("?lang=de", "en", "de"),
        ("?lang=en", "de", "en"),
        ("?lang=tlh", "", "en"),
        ("?lang=../de", "", "en"),
    ],
)
def test_it_speaks_the_language_of_the_reader(query: str, accepted: str, language: str) -> None:
    answer = get(query, **{"accept-language": accepted})
    assert answer.status_code == 200
    assert answer["Content-Language"] == language
    assert f'<html lang="{language}">' in answer.content.decode()
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_it_says_everything_that_the_facts_say(language: str) -> None:
    text = get(f"?lang={language}").content.decode()
    plain = re.sub(r"&#x27;|&quot;", '"', text)
    for answer in ANSWERS.values():
        assert (answer.asks if language == "en" else answer.fragt) in plain
        for proof in answer.proof:
            assert proof.replace("'", '"') in plain
    for call in policy.facts()["delete"].values():
        assert call in plain
    for role in policy.who_opens():
        assert f"<code>{role}</code>" in plain
    assert not re.search(r"\{[{%]", text)


@pytest.mark.parametrize("language", ["en", "de"])
def test_it_is_well_made_for_every_reader(language: str) -> None:
    page = Page(get(f"?lang={language}").content.decode())
    assert len(page.all("h1")) == 1
    ids = [attrs["id"] for _, attrs in page.seen if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = [attrs["aria-labelledby"] for attrs in page.all("section")]
    assert set(named) <= set(ids)
    inside = [str(a["href"])[1:] for a in page.all("a") if str(a["href"]).startswith("#")]
    assert set(inside) <= set(ids)
    assert all("scope" in attrs for attrs in page.all("th"))
    assert [meta for meta in page.all("meta") if meta.get("name") == "viewport"]
    assert all(attrs.get("aria-hidden") == "true" for attrs in page.all("svg"))


def test_it_loads_nothing_but_its_own_style_and_needs_no_exception() -> None:
    answer = get()
    page = Page(answer.content.decode())
    assert page.all("script") == []
    assert page.all("style") == []
    assert page.all("img") == []
    assert [attrs for _, attrs in page.seen if "style" in attrs] == []
    sources = [str(link["href"]) for link in page.all("link")]
    assert sources == ["data:,", "/static/privacy/facts.css"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer.cookies == {}
    style = finders.find("privacy/facts.css")
    assert style
    with open(str(style)) as file:
        assert "url(" not in (text := file.read())
    assert "prefers-color-scheme: dark" in text


def test_it_shows_who_processes_and_where_complaints_go_without_trusting_either(
    settings_of: Any,
) -> None:
    settings_of(
        PROCESSORS=[{"name": "<b>Cloud</b>", "does": "runs machines", "region": "eu-central-1"}],
        CONTACT="privacy@example.org",
    )
    text = get().content.decode()
    assert "&lt;b&gt;Cloud&lt;/b&gt;" in text
    assert "eu-central-1" in text
    assert "privacy@example.org" in text
    assert "Nobody." not in text


def test_it_is_only_read() -> None:
    assert Client(HTTP_HOST="localhost").post("/privacy").status_code == 405
