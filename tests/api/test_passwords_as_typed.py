"""A password is what was typed: nothing is cut off or folded.

A space at either end is taken off by django-allauth, when it is set as when it is given.
"""

import uuid

import pytest

from tests.api.people import People

AUTH = "/auth/app/v1/auth/"
LONG = "\u00c5 horse, a battery and a staple \U0001f40e;" * 3


@pytest.fixture(scope="module")
def email(people: People) -> str:
    address = f"{uuid.uuid4().hex}@example.org"
    made = people.sign_up(email=address, password=LONG)
    assert made.status_code == 200, made.text
    return address


def sign_in(people: People, email: str, password: str) -> int:
    with people.client() as http:
        body = {"email": email, "password": password}
        return http.post(f"{AUTH}login", json=body).status_code


def test_a_long_one_is_taken(people: People, email: str) -> None:
    assert len(LONG) > 64
    assert sign_in(people, email, LONG) == 200


@pytest.mark.parametrize("other", [LONG[:-1], LONG[:64], LONG.lower(), LONG.replace(" ", "")])
def test_it_is_compared_as_it_was_typed(people: People, email: str, other: str) -> None:
    assert sign_in(people, email, other) == 400
