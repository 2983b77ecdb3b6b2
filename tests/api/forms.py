"""A page as staff see it: its forms with their labels and buttons, without a browser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

VOID = {"input", "img", "br", "meta", "link", "hr"}


@dataclass
class Form:
    """What a form sends, and by which words its parts are known."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, tuple[str, str]] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str] | None] = field(default_factory=dict)


class Page(HTMLParser):
    """Forms that post, and links by their address."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: dict[str, str] = {}
        self._form: Form | None = None
        self._held: list[tuple[str, dict[str, str], list[str]]] = []
        self._select = ""
        self.feed(text)
        for form in self.forms:
            form.labels = {text: self.ids.get(of, "") for text, of in form.labels.items()}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("method") == "post":
            self._form = Form(said.get("action", ""))
            self.forms.append(self._form)
        if tag == "a":
            self.links.append(said.get("href", ""))
        if self._form is None:
            return
        if "id" in said and "name" in said:
            self.ids[said["id"]] = said["name"]
        if tag == "input" and said.get("type") != "submit":
            self._form.values[said.get("name", "")] = said.get("value", "")
        if tag == "select":
            self._select = said["name"]
        if tag in ("label", "button", "textarea", "option"):
            self._held.append((tag, said, []))
        if tag == "option" and "selected" in said:
            self._form.values[self._select] = said["value"]

    def handle_data(self, data: str) -> None:
        for *_, words in self._held:
            words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if not self._held or self._held[-1][0] != tag or self._form is None:
            return
        _, said, words = self._held.pop()
        text = " ".join("".join(words).replace("*", " ").split())
        if tag == "label":
            self._form.labels[text] = said.get("for", "")
        elif tag == "button":
            named = (said["name"], said.get("value", "")) if said.get("name") else None
            self._form.buttons[text] = named
        elif tag == "textarea":
            self._form.values[said["name"]] = text
        else:
            self._form.options[text] = (self._select, said.get("value", ""))
            self._form.values.setdefault(self._select, said.get("value", ""))


class Desk:
    """Somebody at the keyboard who does what a page of the docs says, word by word."""

    def __init__(self, browser: httpx.Client) -> None:
        self.browser = browser
        self.answer: httpx.Response = browser.get("/admin/")
        self.page = Page("")
        self.seen: list[str] = []

    def open(self, address: str) -> None:
        self._show(self.browser.get(address, follow_redirects=True))

    def choose(self, label: str) -> bool:
        """An entry of a list, on whichever form has it."""
        for form in self.page.forms:
            if label in form.options:
                name, value = form.options[label]
                form.values[name] = value
                return True
        return False

    def type(self, label: str, words: str) -> bool:
        """Into the field with this label."""
        for form in self.page.forms:
            if form.labels.get(label):
                form.values[form.labels[label]] = words
                return True
        return False

    def press(self, label: str) -> bool:
        """The button with these words."""
        for form in self.page.forms:
            if label in form.buttons:
                sent = dict(form.values)
                named = form.buttons[label]
                if named:
                    sent[named[0]] = named[1]
                address: Any = form.action or self.answer.url
                self._show(self.browser.post(address, data=sent, follow_redirects=True))
                return True
        return False

    def _show(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, f"{answer.url}: {answer.status_code}"
        self.answer, self.page = answer, Page(answer.text)
        self.seen.append(answer.text)
