"""Holds every answer that a test gets against the committed contract.

Hung into the clients of tests/api: an operation that answers a status, or refuses with a code, that
the document does not list for it fails the test that asked. Other addresses pass by.
"""

import json
import re
from functools import lru_cache
from typing import Any

import httpx

from deploy.contract.files import WRITTEN, read


@lru_cache(maxsize=1)
def _operations() -> list[tuple[str, re.Pattern[str], Any]]:
    """(method, address, its answers), the longest address first."""
    document = read(WRITTEN)
    found = [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation["responses"])
        for path, entry in sorted(document["paths"].items(), key=lambda row: -len(row[0]))
        for method, operation in entry.items()
    ]
    named = document["components"]["responses"]
    for _, _, answers in found:
        for status, answer in answers.items():
            if "$ref" in answer:
                answers[status] = named[answer["$ref"].rsplit("/", 1)[1]]
    return found


def surprise(response: httpx.Response) -> str | None:
    """What the contract does not list, or None."""
    asked = response.request
    for method, path, answers in _operations():
        if asked.method != method or not path.fullmatch(asked.url.path):
            continue
        where = f"{method} {path.pattern}"
        if not any("x-codes" in answer for answer in answers.values()):
            return None
        status = str(response.status_code)
        if status not in answers:
            return f"{where} answers {status}"
        listed = answers[status].get("x-codes")
        if listed is None:
            return None
        told = {error["code"] for error in json.loads(response.text)["errors"]}
        new = told - set(listed)
        return f"{where} refuses with {status} {', '.join(sorted(new))}" if new else None
    return None


def check(response: httpx.Response) -> None:
    """An event hook of httpx."""
    if response.status_code >= 400:
        response.read()
    told = surprise(response)
    assert told is None, f"the contract does not say that {told}"
