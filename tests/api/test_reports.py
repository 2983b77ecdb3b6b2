"""A report is a reason from a list about a portrait of one's own, and nothing else."""

import uuid

import httpx
import pytest

from tests.api.people import People, Person, refused


def report(who: Person, body: object, portrait: uuid.UUID | None = None) -> httpx.Response:
    return who.http.post(f"/v1/portraits/{portrait or uuid.uuid4()}/report", json=body)


def test_a_portrait_that_is_not_ones_own_does_not_exist(signer: Person) -> None:
    refused(report(signer, {"reason": "not_me"}), 404, "not_found")


@pytest.mark.parametrize("body", [{"reason": "I look like my aunt"}, {"reason": 7}])
def test_words_of_ones_own_are_no_reason(signer: Person, body: object) -> None:
    refused(report(signer, body), 400, "invalid_choice", "reason")


def test_a_reason_is_needed(signer: Person) -> None:
    refused(report(signer, {}), 400, "required", "reason")


def test_it_takes_an_account(people: People) -> None:
    with people.client() as anybody:
        asked = anybody.post(f"/v1/portraits/{uuid.uuid4()}/report", json={"reason": "other"})
    refused(asked, 401, "not_authenticated")
