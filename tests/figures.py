"""`figure(...)`: a test that measures an acceptance figure stores it under its id."""

from typing import Any

from deploy import figures


def figure(
    name: str, *, value: Any, unit: str = "", n: int, holds: bool | None, conditions: str
) -> None:
    """One row of var/figures/test.json; see deploy/figures.py for the ids."""
    figures.record("test", name, value=value, unit=unit, n=n, holds=holds, conditions=conditions)
