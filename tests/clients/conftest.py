"""The same person's five photos as in the tests of the API."""

from tests.api.conftest import views

__all__ = ["views"]
