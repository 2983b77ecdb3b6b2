"""An installation of its own for the doctor, healthy before each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.stack.supervisor import Stack


@pytest.fixture(scope="package")
def _installation(stack: Stack) -> Iterator[None]:
    from tests.privacy.alone import alone, give_grants

    with alone("sitter_doctor"):
        give_grants(stack.admin_database_url)
        yield


@pytest.fixture
def healthy(_installation: None, born: Any, stack: Stack) -> Iterator[Any]:
    """Nothing is wrong with it; returns `role`."""
    from privacy import valkey
    from tests.deploy.doctoring import settle
    from tests.privacy.alone import wipe

    wipe(stack.admin_database_url)
    settle(born)
    valkey.client.cache_clear()
    yield born
    valkey.client.cache_clear()


@pytest.fixture
def admin(healthy: Any, stack: Stack) -> Iterator[Any]:
    """A superuser on the doctor's database."""
    from tests.privacy.alone import superuser

    with superuser(stack.admin_database_url) as connection:
        yield connection


@pytest.fixture
def findings(healthy: Any) -> Callable[..., Any]:
    """`findings("web")`: what the doctor says as that role, with its keys and its login."""
    from tests.deploy.doctoring import examined

    def examine(role: str, at: Any = None) -> Any:
        healthy(role)
        return examined(role, at)

    return examine
