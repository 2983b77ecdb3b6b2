"""The domain starts as the web, with every key born and no work waiting."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    from privacy.models import Lease  # Django is set up after this file is read

    born("web")
    Lease.objects.all().delete()
