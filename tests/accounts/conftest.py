"""The same people as in the tests of the API."""

from tests.api.conftest import people, views

__all__ = ["people", "views"]
