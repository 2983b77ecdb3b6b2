"""The domain starts as the web, with every key born and no work waiting."""

from contextlib import ExitStack
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    from privacy.models import Lease  # Django is set up after this file is read

    born("web")
    Lease.objects.all().delete()


@pytest.fixture(scope="package")
def web_once(key_folders: Any, tmp_path_factory: Any) -> Any:
    """Starts a web process on the unit database when it is first asked for, once for all files."""
    from tests.portraits import serving

    with ExitStack() as until_then:
        started: list[Any] = []

        def start() -> Any:
            if not started:
                log = tmp_path_factory.mktemp("web") / "log"
                started.append(until_then.enter_context(serving.web(key_folders, log)))
            return started[0]

        yield start


@pytest.fixture
def web(born: Any, web_once: Any) -> Any:
    """A running web process; its keys are born first."""
    return web_once()
