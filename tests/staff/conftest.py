"""The same people as in the tests of the API; staff are made in tests/staff/members.py."""

from tests.api.conftest import people, views

__all__ = ["people", "views"]
