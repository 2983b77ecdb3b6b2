"""Every setting is documented, from the one class that reads it."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.env import Env
from deploy.management.commands.settings_table import render


def test_the_settings_table_and_the_example_are_up_to_date() -> None:
    for file, text in render().items():
        assert Path(file).read_text() == text, f"run manage.py settings_table ({file})"


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Env.model_fields.values())


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"production": True, "debug": True}, "SITTER_DEBUG"),
        ({"production": True}, "SITTER_SECRET_KEY"),
        ({"production": True, "secret_key": "s" * 40, "role": "intake"}, "SITTER_SANDBOX_STRICT"),
        ({"role": "emperor"}, "role"),
        ({"database_pool": "many"}, "database_pool"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    values: dict[str, Any], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("SITTER_")]:
        monkeypatch.delenv(name)
    with pytest.raises(ValidationError, match=named):
        Env(**values)
