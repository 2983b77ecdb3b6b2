"""Every address with an id in it, asked for by somebody to whom the object does not belong.

The addresses come from the OpenAPI document, so a new one fails here until it is said what lies
behind it. What a body can name is tried as well.
"""

from __future__ import annotations

import uuid
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.figures import figure

if TYPE_CHECKING:
    from tests.api.people import People, Person

METHODS: Final = ("get", "put", "patch", "post", "delete")
# What an address takes beside what its document lists: HEAD with GET, and OPTIONS, which says what
# may be asked and nothing of the object.
SILENT: Final = ("head", "options")
# Addresses whose id is a permission that only its owner was told, or which are for everybody.
PUBLIC: Final = {
    "/v1/erasures/{id}": "the id fetches the receipt when the account is gone",
    "/v1/face-claims/{id}": "who reports has no account",
    "/v1/provenance/checks/{id}": "who asks has no account",
    "/v1/requests/{id}": "who asks support may have no account",
    "/v1/styles/{slug}/trial": "a picture of nobody",
    "/v1/shared/{token}": "the token opens one picture once; only its owner was told it",
}
# What a valid request carries, so that nothing is refused before it is asked whose it is.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "updatePortrait": {"json": {"expires_at": "2100-01-01T00:00:00Z"}},
    "reportPortrait": {"json": {"reason": "broken"}},
    "updatePasskey": {"json": {"name": "mine"}},
    "putPhoto": {"content": b"\xff\xd8 a photo", "headers": {"Content-Type": "image/jpeg"}},
}


def of_nobody(name: str) -> str:
    """What nobody has, of the form that stands in these braces."""
    known = {"number": "999999", "provider": "google", "slot": "front"}
    return known.get(name, str(uuid.uuid4()))


def expected(method: str, listed: set[str]) -> set[int]:
    """What a stranger may be told; not every view answers HEAD and OPTIONS."""
    if method == "options":
        return {200, 405}
    return {404, 405} if method == "head" and "get" in listed else {405}


@pytest.fixture(scope="module")
def owner(people: People) -> Person:
    """Somebody who has one of everything."""
    return people.make()


@pytest.fixture(scope="module")
def ids(people: People, owner: Person) -> dict[str, dict[str, str]]:
    """Per beginning of an address, what stands in its braces."""
    made = owner.set_with_photo(keep_hours=24)
    job = owner.ended(owner.submit(made).json()["id"])
    (item,) = job["items"]
    asked = owner.http.post("/v1/me/requests", json={"kind": "access", "language": "en"})
    export = owner.export().rsplit("/", 1)[1]
    (device,) = owner.http.get("/v1/me/sessions").json()
    return {
        "/v1/reference-sets/": {"id": made, "slot": "front"},
        "/v1/jobs/": {"id": job["id"], "item_id": item["id"]},
        "/v1/portraits/": {"id": item["portrait"]},
        "/v1/me/export/": {"id": export},
        "/v1/me/requests/": {"id": asked.json()["id"]},
        "/v1/me/sessions/": {"name": device["id"]},
        **factors(people, owner),
    }


def factors(people: People, owner: Person) -> dict[str, dict[str, str]]:
    """A passkey and an identity at a provider; tests/accounts makes them the long way."""
    passkey = people.query(
        "INSERT INTO mfa_authenticator (user_id, type, data, created_at)"
        """ VALUES (%s, 'webauthn', '{"name": "phone", "credential": {}}', now()) RETURNING id""",
        owner.id,
    )
    people.query(
        "INSERT INTO socialaccount_socialaccount"
        " (user_id, provider, uid, extra_data, last_login, date_joined)"
        " VALUES (%s, 'google', 'one-of-the-owners', '{}', now(), now())",
        owner.id,
    )
    return {
        "/auth/app/v1/account/authenticators/webauthn/": {"number": str(passkey[0][0])},
        "/auth/app/v1/account/providers/": {"provider": "google", "account": "one-of-the-owners"},
    }


@pytest.fixture(scope="module")
def operations(people: People) -> list[tuple[str, str, str]]:
    """(method, address, operation) of everything with an id in its address."""
    with people.client() as nobody:
        paths = nobody.get("/v1/schema?format=json").json()["paths"]
    return [
        (method, path, operations[method]["operationId"])
        for path, operations in paths.items()
        if "{" in path and path not in PUBLIC
        for method in METHODS
        if method in operations
    ]


def address(path: str, ids: dict[str, dict[str, str]]) -> str:
    """The owner's own, by the longest beginning that is known."""
    found = [values for beginning, values in ids.items() if path.startswith(beginning)]
    assert found, f"{path}: say in `ids` or in PUBLIC what lies behind it"
    return path.format(**found[0])


def test_what_belongs_to_somebody_else_does_not_exist(
    owner: Person,
    stranger: Person,
    people: People,
    ids: dict[str, dict[str, str]],
    operations: list[tuple[str, str, str]],
) -> None:
    def everything() -> Any:
        held = owner.holdings()
        kept = people.query("SELECT id, data FROM mfa_authenticator WHERE user_id = %s", owner.id)
        kept += people.query(
            "SELECT id, uid FROM socialaccount_socialaccount WHERE user_id = %s", owner.id
        )
        jobs = [row["sequence"] for row in owner.http.get("/v1/jobs").json()["results"]]
        # Counts of rows are left out: the ledgers grow by themselves.
        shown = [
            owner.http.get(path).json()
            for path in ("/v1/portraits", "/v1/reference-sets", "/v1/consents", "/v1/me/requests")
        ]
        devices = {row["id"] for row in owner.http.get("/v1/me/sessions").json()}
        return held["sealed"], jobs, kept, shown, devices

    before, leaks = everything(), list[str]()
    # Who has just confirmed who they are is stopped by nothing but whose it is.
    assert stranger.confirm().status_code == 200
    with people.client() as nobody:
        for (method, path, operation), caller in product(operations, (stranger.http, nobody)):
            body = BODIES.get(operation, {})
            answer = caller.request(method, address(path, ids), **body)
            if answer.status_code != (404 if caller is stranger.http else 401):
                leaks.append(f"{method} {path}: {answer.status_code}")
    n = 2 * len(operations)
    figure(
        "A-01",
        value=len(leaks),
        n=n,
        holds=not leaks,
        conditions="every operation of the OpenAPI document with an id in its address, by a "
        "stranger and by nobody; the stranger gets 404, nobody 401",
    )
    assert leaks == []
    assert n > 30
    assert everything() == before


def test_no_other_method_tells_anything_of_what_is_somebody_elses(
    stranger: Person, ids: dict[str, dict[str, str]], operations: list[tuple[str, str, str]]
) -> None:
    listed: dict[str, set[str]] = {}
    for method, path, _ in operations:
        listed.setdefault(path, set()).add(method)
    nobodys = {
        beginning: {name: of_nobody(name) for name in values} for beginning, values in ids.items()
    }
    told = []
    for path, method in product(listed, (*METHODS, *SILENT)):
        if method in listed[path]:
            continue
        answers = [stranger.http.request(method, address(path, which)) for which in (ids, nobodys)]
        statuses = [answer.status_code for answer in answers]
        # Of what is somebody else's the same is said as of what there is not.
        same = len(set(statuses)) == 1 and answers[0].text == answers[1].text
        if not same or statuses[0] not in expected(method, listed[path]):
            told.append(f"{method} {path}: {statuses}")
    assert told == []


def test_the_same_addresses_exist_for_their_owner(
    owner: Person, ids: dict[str, dict[str, str]], operations: list[tuple[str, str, str]]
) -> None:
    """Otherwise the matrix above would hold for any nonsense."""
    reads = [path for method, path, _ in operations if method == "get"]
    for path in reads:
        answer = owner.http.get(address(path, ids))
        # This one was painted from a photo, and has no words.
        wanted = (404,) if path.endswith("/prompt") else (200, 409)
        assert answer.status_code in wanted, f"{path}: {answer.text}"


def test_a_body_cannot_name_what_belongs_to_somebody_else(
    people: People, ids: dict[str, dict[str, str]]
) -> None:
    foreign, portrait = ids["/v1/reference-sets/"]["id"], ids["/v1/portraits/"]["id"]
    somebody = people.make()
    own = somebody.set_with_photo()
    style = "passthrough"
    bodies: list[dict[str, Any]] = [
        {"reference_set": foreign, "items": [{"style": style}]},
        {"reference_set": foreign, "pack": {"styles": [style], "variations": 1}},
        {"reference_set": own, "items": [{"style": style, "reroll_of": portrait}]},
    ]
    for body in bodies:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        answer = somebody.http.post("/v1/jobs", json=body, headers=headers)
        assert answer.status_code in (404, 422), answer.text
        unknown = {**body}
        if "reroll_of" not in str(body):
            unknown["reference_set"] = str(uuid.uuid4())
        else:
            unknown["items"] = [{"style": style, "reroll_of": str(uuid.uuid4())}]
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        other = somebody.http.post("/v1/jobs", json=unknown, headers=headers)
        # Foreign and unknown are told apart by nothing.
        assert (other.status_code, other.json()) == (answer.status_code, answer.json())
    assert somebody.http.get("/v1/jobs").json()["results"] == []
