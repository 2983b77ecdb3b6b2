"""Secrets may come as files, as orchestrators hand them over; the environment goes first."""

import os
from pathlib import Path

import pytest

from deploy.env import Env


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SITTER_")]:
        monkeypatch.delenv(name)


def test_a_file_named_like_a_setting_holds_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitter_secret_key").write_text("from a file\n")
    (tmp_path / "sitter_webhook_keys").write_text('["whsec_one", "whsec_two"]\n')
    (tmp_path / "somebody_elses").write_text("no setting")
    assert Env().secret_key.get_secret_value() == "unset"
    monkeypatch.setenv("SITTER_SECRETS_FOLDER", str(tmp_path))
    read = Env()
    assert read.secret_key.get_secret_value() == "from a file"
    assert [key.get_secret_value() for key in read.webhook_keys] == ["whsec_one", "whsec_two"]
    monkeypatch.setenv("SITTER_SECRET_KEY", "from the environment")
    assert Env().secret_key.get_secret_value() == "from the environment"
