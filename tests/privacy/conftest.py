"""What holds for every test of this room."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_read_once() -> None:
    from tests.doors import read_files_once  # Django is set up after this file is read

    read_files_once()
