"""What a new document takes away from clients of the old one.

Owns the meaning of "breaking". Additions are none: clients ignore what they do not know. Refuses
nothing; it lists. The tools that exist for it either run on Go or stop at OpenAPI 3.0, and this
document is of 3.1 (decision 15).
"""

from collections.abc import Iterator
from typing import Any, Final

METHODS: Final = ("get", "post", "put", "patch", "delete")
# What narrows an input when it falls, and when it rises.
UPPER: Final = ("maximum", "maxLength", "maxItems")
LOWER: Final = ("minimum", "minLength", "minItems")
DEEPEST: Final = 12


def breaking(old: Any, new: Any) -> list[str]:
    """One line for each thing on which a client of `old` may rely and that `new` has not."""
    found: list[str] = []
    for path, operations in old["paths"].items():
        for method in METHODS:
            if method in operations:
                place = f"{method.upper()} {path}"
                now = new["paths"].get(path, {}).get(method)
                if now is None:
                    found.append(f"{place}: is gone")
                else:
                    found += _operation(place, (old, operations[method]), (new, now))
    return found


Node = tuple[Any, Any]  # the document, and a part of it


def _at(node: Node, *keys: Any, default: Any = None) -> Node:
    document, part = node
    for key in keys:
        part = part.get(key, {}) if isinstance(part, dict) else part[key]
        while isinstance(part, dict) and "$ref" in part:
            part = _follow(document, part["$ref"])
    return document, part if part != {} or default is None else default


def _follow(document: Any, reference: str) -> Any:
    for key in reference.removeprefix("#/").split("/"):
        document = document[key]
    return document


def _operation(place: str, old: Node, new: Node) -> Iterator[str]:
    if old[1]["operationId"] != new[1]["operationId"]:
        yield f"{place}: is no longer called {old[1]['operationId']}"
    if {} in old[1].get("security", [{}]) and {} not in new[1].get("security", [{}]):
        yield f"{place}: needs a session now"
    yield from _parameters(place, old, new)
    yield from _asked(place, old, new)
    yield from _answers(place, old, new)


def _parameters(place: str, old: Node, new: Node) -> Iterator[str]:
    before = {(p["in"], p["name"]): p for p in old[1].get("parameters", [])}
    after = {(p["in"], p["name"]): p for p in new[1].get("parameters", [])}
    for key, parameter in before.items():
        where = f"{place}: parameter {key[1]}"
        if key not in after:
            yield f"{where}: is gone"
        else:
            yield from _input(
                where, _at((old[0], parameter), "schema"), _at((new[0], after[key]), "schema")
            )
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{place}: parameter {key[1]}: is required now"


def _asked(place: str, old: Node, new: Node) -> Iterator[str]:
    before, after = old[1].get("requestBody"), new[1].get("requestBody")
    if after and after.get("required") and not (before and before.get("required")):
        yield f"{place}: a body is required now"
    for media in (before or {}).get("content", {}):
        if media not in (after or {}).get("content", {}):
            yield f"{place}: {media} is no longer taken"
        else:
            where = ("requestBody", "content", media, "schema")
            yield from _input(f"{place}: body", _at(old, *where), _at(new, *where))


def _answers(place: str, old: Node, new: Node) -> Iterator[str]:
    for status in old[1]["responses"]:
        if status not in new[1]["responses"]:
            yield f"{place}: {status} is gone"
            continue
        before, after = _at(old, "responses", status), _at(new, "responses", status)
        yield from (
            f"{place}: {status}: the code {code} is gone"
            for code in before[1].get("x-codes", [])
            if code not in after[1].get("x-codes", [])
        )
        for media in before[1].get("content", {}):
            if media not in after[1].get("content", {}):
                yield f"{place}: {status}: {media} is gone"
                continue
            where = ("content", media, "schema")
            yield from _output(f"{place}: {status}", _at(before, *where), _at(after, *where))


def _types(schema: Any) -> set[str]:
    kinds = schema.get("type", [])
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    if None in schema.get("enum", []):
        found.add("null")
    for several in ("oneOf", "anyOf"):
        found |= {"null"} if {"type": "null"} in schema.get(several, []) else set()
    return found


def _input(place: str, old: Node, new: Node, depth: int = 0) -> Iterator[str]:
    """What was taken is taken."""
    before, after = old[1], new[1]
    if depth > DEEPEST:
        return
    if _types(after) and (lost := _types(before) - _types(after)):
        yield f"{place}: no longer takes {', '.join(sorted(lost))}"
    if lost := set(before.get("enum", ())) - set(after.get("enum", before.get("enum", ()))):
        yield f"{place}: no longer takes {', '.join(sorted(map(str, lost)))}"
    if "enum" in after and "enum" not in before:
        yield f"{place}: takes a few values only"
    for bounds, sign in ((UPPER, 1), (LOWER, -1)):
        for bound in bounds:
            if bound in after and (
                bound not in before or sign * after[bound] < sign * before[bound]
            ):
                yield f"{place}: {bound} is narrower"
    for field in set(after.get("required", ())) - set(before.get("required", ())):
        yield f"{place}.{field}: is required now"
    for field in before.get("properties", ()):
        if field not in after.get("properties", ()):
            yield f"{place}.{field}: is gone"
        else:
            pair = _at(old, "properties", field), _at(new, "properties", field)
            yield from _input(f"{place}.{field}", *pair, depth + 1)
    if "items" in before:
        yield from _input(f"{place}[]", _at(old, "items"), _at(new, "items"), depth + 1)


def _output(place: str, old: Node, new: Node, depth: int = 0) -> Iterator[str]:
    """What was there is there; nothing becomes null or of another kind. An enum may grow."""
    before, after = old[1], new[1]
    if depth > DEEPEST:
        return
    if _types(before) and (more := _types(after) - _types(before)):
        yield f"{place}: may be {', '.join(sorted(more))} now"
    for field in set(before.get("required", ())) & set(before.get("properties", ())):
        if field not in after.get("required", ()) and field in after.get("properties", ()):
            yield f"{place}.{field}: may be missing now"
    for field in before.get("properties", ()):
        if field not in after.get("properties", ()):
            yield f"{place}.{field}: is gone"
        else:
            pair = _at(old, "properties", field), _at(new, "properties", field)
            yield from _output(f"{place}.{field}", *pair, depth + 1)
    if "items" in before:
        yield from _output(f"{place}[]", _at(old, "items"), _at(new, "items"), depth + 1)
