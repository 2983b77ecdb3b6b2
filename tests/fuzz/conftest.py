"""The same people as in the tests of the API."""

from tests.api.conftest import people, stranger, views

__all__ = ["people", "stranger", "views"]
