"""Completes the OpenAPI document: refusals with their codes, headers, examples, and the rules.

Owns what drf-spectacular cannot see. An operation that the table of refusals does not know keeps
its answer `default` and gets no codes; a test refuses that for everything under /v1.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from deploy import retiring
from deploy.contract import examples, links, refusals
from deploy.contract.refusals import Refusal, Source

# An operation that begins so is a GET.
READS: Final = ("get", "list")
IF_NONE_MATCH: Final[dict[str, Any]] = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The ETag of the last answer.",
}
METHODS: Final = ("get", "post", "put", "patch", "delete")
RULES: Final = """\
AI portraits in which your face is a guest, never a resident.

**Errors** have one shape. Switch on `code`, which is stable; show `detail`, a sentence in the
language of `Accept-Language`; `attr` names the field. `x-codes` lists an answer's codes.

**Retries.** `POST /v1/jobs` is safe to send again by its `Idempotency-Key`. Sending anything else
twice at worst makes a second empty set, link or report. 429 and 503 carry `Retry-After` in seconds,
and nothing was changed.

**Lists** that grow are read page by page: follow `next` until it is null. The cursor is opaque.

**Versions.** ETags name the version of what is told in JSON, and of pictures: send the last one as
`If-None-Match`, and 304 says that nothing has changed, without a body.

**Waiting.** An answer about what is still being done carries `Retry-After` in seconds: a job, a
photo that is being checked, an erasure before its proof, an export.

**Changes.** Within `/v1`, fields, operations, codes and values of an answer's enum are added;
nothing is removed and nothing that was optional becomes required. Ignore what you do not know.
What is to go is first marked `deprecated` here for twelve months or more, and its answers carry
`Deprecation` (RFC 9745) and `Sunset` (RFC 8594) with the dates.
"""
HEADERS: Final[dict[str, Any]] = {
    "RequestId": {
        "description": "Names this request in our logs. Send it along when you report a fault.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "After so many seconds asking again makes sense.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Deprecation": {
        "description": "Since when something here is on its way out (RFC 9745).",
        "schema": {"type": "string"},
    },
    "Sunset": {
        "description": "When it goes at the earliest (RFC 8594).",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": "Where it is said what goes, and what to use instead.",
        "schema": {"type": "string"},
    },
    "ETag": {"description": "The version of what is answered.", "schema": {"type": "string"}},
    "WwwAuthenticate": {
        "description": "How to sign in (RFC 9110, 11.6.1).",
        "schema": {"type": "string"},
    },
    "CacheControl": {
        "description": "`no-store`, but for what shows nobody and is public.",
        "schema": {"type": "string"},
    },
}
# Successful answers that carry more than every answer does: (operation, status) → headers.
CARRIES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("putPhoto", "202"): ("RetryAfter",),
    ("getReferenceSet", "200"): ("ETag", "RetryAfter"),
    ("getErasure", "200"): ("ETag", "RetryAfter"),
    ("getExport", "200"): ("ETag", "RetryAfter"),
    ("eraseMe", "202"): ("RetryAfter",),
    ("deletePortrait", "202"): ("RetryAfter",),
    ("deletePhoto", "202"): ("RetryAfter",),
    ("deleteReferenceSet", "202"): ("RetryAfter",),
    ("createExport", "202"): ("RetryAfter",),
    ("createProvenanceCheck", "202"): ("RetryAfter",),
    ("getProvenanceCheck", "202"): ("RetryAfter",),
    ("downloadPortrait", "200"): ("ETag",),
    ("downloadPortrait", "304"): ("ETag",),
    ("getJob", "200"): ("ETag", "RetryAfter"),
    ("getJob", "304"): ("ETag", "RetryAfter"),
    ("downloadStyleTrial", "200"): ("ETag",),
    ("downloadStyleTrial", "304"): ("ETag",),
}
SPELT: Final = {
    "RequestId": "X-Request-Id",
    "RetryAfter": "Retry-After",
    "ETag": "ETag",
    "WwwAuthenticate": "WWW-Authenticate",
    "CacheControl": "Cache-Control",
}
SUCCESS: Final = {
    "200": "It is done.",
    "201": "It was made.",
    "202": "It was taken on, and goes on by itself.",
    "204": "There is nothing to say.",
    "304": "Nothing has changed.",
}


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: the whole document, told to its end."""
    result["info"]["description"] = RULES
    components = result["components"]
    components["headers"] = HEADERS
    components["examples"] = {}
    for path, operation in _operations(result):
        name = operation["operationId"]
        if name not in refusals.OPERATIONS:
            continue
        versioned = _version(path, operation)
        found = [refusals.told(source) for source in _refusals(path, operation)]
        for refusal in found:
            components["examples"].setdefault(refusal.name, _error(refusal))
        _examples(operation, components["schemas"])
        for status, answer in operation["responses"].items():
            if status != "default":
                answer["description"] = answer.get("description") or SUCCESS[status]
                more = ("ETag",) if versioned and status in ("200", "304") else ()
                carried = CARRIES.get((name, status), more)
                _add_headers(answer, ("RequestId", *carried))
                if follows := links.of(name, status):
                    answer["links"] = follows
        operation["responses"] = {
            **{
                code: answer for code, answer in operation["responses"].items() if code != "default"
            },
            **_answers(found),
            "default": operation["responses"]["default"],
        }
    components["examples"] = dict(sorted(components["examples"].items()))
    retiring.mark(result)
    components["responses"] = _shared(result)
    return result


def _version(path: str, operation: Any) -> bool:
    """Whether deploy.versions names the version of what it says; its 304 is added."""
    told = operation["responses"].get("200", {}).get("content", {})
    if not path.startswith("/v1/") or "requestBody" in operation or "application/json" not in told:
        return False
    if not operation["operationId"].startswith(READS):
        return False
    operation["responses"].setdefault("304", {"description": SUCCESS["304"]})
    asked = operation.setdefault("parameters", [])
    if all(parameter["name"] != "If-None-Match" for parameter in asked):
        asked.append(IF_NONE_MATCH)
    return True


def _shared(result: dict[str, Any]) -> dict[str, Any]:
    """What several operations answer alike is written once, under `components.responses`."""
    named: dict[str, Any] = {}
    for _, operation in _operations(result):
        for status, answer in operation["responses"].items():
            if "x-codes" in answer:
                same = [name for name, known in named.items() if known == answer]
                alike = sum(name.startswith(f"Refused{status}") for name in named)
                name = same[0] if same else f"Refused{status}_{alike + 1}"
                named[name] = answer
                operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(named.items()))


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, operations in result["paths"].items():
        yield from ((path, operations[method]) for method in METHODS if method in operations)


def _refusals(path: str, operation: Any) -> list[Source]:
    """Those of its own, and those that follow from its shape."""
    security = operation.get("security", [{}])
    content = operation.get("requestBody", {}).get("content", {})
    asked = {parameter["name"] for parameter in operation.get("parameters", [])}
    found: list[Source] = [*refusals.OPERATIONS[operation["operationId"]], *refusals.ALWAYS]
    if {"sessionToken": []} in security:
        found += [*refusals.SESSION, *(() if {} in security else refusals.SIGNED)]
    if "{" in path or "cursor" in asked:
        found += refusals.ADDRESS
    if content:
        found += refusals.BODY
    if "application/json" in content:
        found += [*refusals.JSON, *refusals.FIELDS]
    return found


def _answers(found: Sequence[Refusal]) -> dict[str, Any]:
    """One answer a status, with all its codes."""
    answers: dict[str, Any] = {}
    for status in sorted({refusal.status for refusal in found}):
        here = [refusal for refusal in found if refusal.status == status]
        codes = sorted({refusal.code for refusal in here})
        answer = {
            "description": "Refused: " + ", ".join(f"`{code}`" for code in codes) + ".",
            "x-codes": codes,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Errors"},
                    "examples": {
                        code: {"$ref": f"#/components/examples/{status}_{code}"}
                        for code in codes
                        if code == "required" or code not in refusals.FIELD
                    },
                }
            },
        }
        more = ["RetryAfter"] if any(refusal.waits for refusal in here) else []
        more += ["WwwAuthenticate"] if status == 401 else []
        _add_headers(answer, ("RequestId", *more))
        answers[str(status)] = answer
    return answers


def _add_headers(answer: dict[str, Any], names: Sequence[str]) -> None:
    answer["headers"] = {SPELT[name]: {"$ref": f"#/components/headers/{name}"} for name in names}


def _error(refusal: Refusal) -> dict[str, Any]:
    """As deploy.http says it."""
    kind = "server_error" if refusal.status >= 500 else "client_error"
    if refusal.status == 400 and refusal.field and refusal.field != "Idempotency-Key":
        kind = "validation_error"
    error = {"code": refusal.code, "detail": refusal.sentence, "attr": refusal.field}
    return {"value": {"type": kind, "errors": [error]}}


def _examples(operation: Any, schemas: Any) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    asked = content.get("application/json")
    if content and asked is None:
        # A photo is the whole body; drf-spectacular takes it for something to be left out.
        operation["requestBody"]["required"] = True
    name = operation["operationId"]
    if asked is not None:
        example = examples.REQUESTS.get(name)
        asked["example"] = example or examples.of(asked["schema"], schemas, whole=False)
    for answer in operation["responses"].values():
        told = answer.get("content", {}).get("application/json")
        if told is not None and "Errors" not in str(told["schema"]):
            told["example"] = examples.of(told["schema"], schemas)
