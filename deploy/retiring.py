"""What of the API is to go, and by when: told in the contract and in every answer that it concerns.

A field, a value or an operation is first listed here, for twelve months or more; its answers carry
`Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a `Link` to what is said about it. It is removed
with a release after its date, never by the calendar: nobody's client breaks overnight.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import http_date

SHORTEST: Final = timedelta(days=365)
WHERE: Final = "/v1/docs"


@dataclass(frozen=True)
class Retiring:
    """One thing that is to go.

    `operations`: (method, address as the contract writes it). `field`: (schema, property), where
    it is no whole operation that goes.
    """

    operations: Sequence[tuple[str, str]]
    since: date
    ends: date
    instead: str
    field: tuple[str, str] | None = None

    def headers(self) -> dict[str, str]:
        """What its answers carry."""
        since, ends = (_moment(day) for day in (self.since, self.ends))
        return {
            "Deprecation": f"@{int(since)}",
            "Sunset": http_date(ends),
            "Link": f'<{WHERE}>; rel="deprecation"; type="text/html"',
        }


def _moment(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


# Nothing is on its way out today.
RETIRING: Final[list[Retiring]] = []


def announce(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the headers of what concerns this request; the end that comes first counts."""
    match = request.resolver_match
    if not RETIRING or match is None:
        return
    asked = (request.method, address(match.route))
    for one in sorted(RETIRING, key=lambda one: one.ends, reverse=True):
        if asked in one.operations:
            for name, value in one.headers().items():
                response.headers[name] = value


def address(route: str) -> str:
    """A route of Django's as the contract writes it."""
    named = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.removeprefix("^").lstrip("/"))
    return "/" + named.replace("{pk}", "{id}")


def mark(document: dict[str, Any]) -> None:
    """Say it in the contract. Raises KeyError for what the contract does not know."""
    for one in RETIRING:
        said = f"Goes on {one.ends}. {one.instead}"
        for method, path in one.operations:
            operation = document["paths"][path][method.lower()]
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    for name in ("Deprecation", "Sunset", "Link"):
                        told = {"$ref": f"#/components/headers/{name}"}
                        answer.setdefault("headers", {})[name] = told
            if one.field is None:
                operation["deprecated"] = True
                operation["description"] = f"{operation.get('description', '')}\n\n{said}".strip()
        if one.field is not None:
            schema, name = one.field
            told = document["components"]["schemas"][schema]["properties"][name]
            told.update(deprecated=True, description=said)
