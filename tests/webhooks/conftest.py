"""The domain with a webhook: keys are born, nothing waits, and upkeep's pulse is fresh."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.webhooks.receiver import Receiver, serving

NEW = "whsec_" + "bmV3" * 11
OLD = "whsec_" + "b2xk" * 11


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    """What waits or was given up would be seen by tests of the backlog."""
    from portraits.models import Event  # Django is set up after this file is read
    from privacy.models import Lease

    Lease.objects.all().delete()
    Event.objects.all().delete()
    yield
    Lease.objects.filter(kind="webhook").delete()
    Event.objects.all().delete()


@pytest.fixture
def noting(born: Any, settings_of: Any) -> None:
    """The web, with a webhook."""
    born("web")
    settings_of(WEBHOOK_URL="https://push.example.org/sitter")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that accepts everything."""
    found = Receiver()
    with serving(found):
        yield found


@pytest.fixture
def courier(noting: None, settings_of: Any) -> Callable[..., Any]:
    """`courier(url)`: start the courier for that address, in this process."""
    from django.utils import timezone

    from privacy.models import Pulse
    from workers import courier

    Pulse.objects.update_or_create(pk=1, defaults={"at": timezone.now()})

    def start(url: str, *keys: str) -> Any:
        settings_of(
            WEBHOOK_URL=url,
            WEBHOOK_KEYS=list(keys or [NEW]),
            WEBHOOK_INSECURE=True,
            WEBHOOK_PRIVATE=True,
        )
        courier.start()
        return courier

    return start
