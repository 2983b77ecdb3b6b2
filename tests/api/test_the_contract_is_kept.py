"""What watches the answers of this folder's tests would say so."""

import httpx
import pytest

from tests.api import contract
from tests.api.people import People, Person, refused

SET = "/v1/reference-sets/0199f0a4-5b3c-7d2e-8f10-2a3b4c5d6e7f"


def answer(method: str, path: str, status: int, code: str | None = None) -> httpx.Response:
    request = httpx.Request(method, f"http://sitter.test{path}")
    errors = [{"code": code, "detail": "No.", "attr": None}]
    body = {"type": "client_error", "errors": errors} if code else {}
    return httpx.Response(status, json=body, request=request)


def test_an_answer_that_is_not_listed_fails_the_test_that_got_it() -> None:
    with pytest.raises(AssertionError, match="answers 418"):
        contract.check(answer("GET", SET, 418, "teapot"))
    with pytest.raises(AssertionError, match="not_painted_yet"):
        contract.check(answer("GET", SET, 404, "not_painted_yet"))
    with pytest.raises(AssertionError, match="answers 201"):
        contract.check(answer("GET", SET, 201))


def test_an_answer_that_is_listed_passes() -> None:
    contract.check(answer("GET", SET, 200))
    contract.check(answer("GET", SET, 404, "unknown_reference_set"))
    contract.check(answer("PUT", f"{SET}/photos/front", 422, "no_face"))


def test_it_watches_real_answers(people: People, signer: Person) -> None:
    with people.client() as nobody:
        assert contract.check in nobody.event_hooks["response"]
        refused(nobody.get("/v1/jobs"), 401, "not_authenticated")
    refused(signer.http.get(SET), 404, "unknown_reference_set", "reference_set")
