"""A worker shows no page of the admin, and does not spend its start on loading them."""

from typing import Any

import pytest
from django.apps import apps


@pytest.mark.parametrize(
    ("name", "loads"), [("web", True), ("migrator", True), ("upkeep", False), ("beat", False)]
)
def test_only_who_shows_them_loads_them(
    role: Any, monkeypatch: pytest.MonkeyPatch, name: str, loads: bool
) -> None:
    config, loaded = apps.get_app_config("admin"), []
    monkeypatch.setattr(config.module, "autodiscover", lambda: loaded.append(name))
    role(name)
    config.ready()
    assert loaded == [name] * loads
