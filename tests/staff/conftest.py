"""The same people as in the tests of the API; staff are made in tests/staff/members.py."""

import pytest

from tests.api.conftest import people, views

__all__ = ["people", "views"]


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_read_once() -> None:
    from tests.doors import read_files_once  # Django is set up after this file is read

    read_files_once()
