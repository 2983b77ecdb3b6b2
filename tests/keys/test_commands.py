"""What the operator reads when roots are turned or keys given up by hand."""

import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from privacy import keys
from privacy.keyfiles import KeyFolder
from privacy.models import OwnerKey, RootEpoch
from tests.keys.people import many


def run(name: str, *arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(name, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def root(born: Any, folders: dict[str, Path]) -> bytes:
    """The keeper's root."""
    born("keeper")
    return KeyFolder(folders["ROOT_KEYS"], "root").read(keys.root_epoch())


def test_nothing_is_due_is_said_so(root: bytes) -> None:
    said, _ = run("rotate_root")
    assert "New root: none was due." in said
    assert "Rewrapped: 0 owner keys" in said
    assert "Destroyed: no root." in said


def test_a_turn_says_what_it_did(root: bytes) -> None:
    many(3, root, keys.root_epoch(), datetime.now(UTC))
    said, err = run("rotate_root", "--now")
    assert f"New root: {keys.root_epoch()}." in said
    assert "Rewrapped: 3 owner keys" in said
    assert "█" not in err, "a bar in a log file is noise"


def test_who_watches_sees_a_bar_and_the_rate(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    many(3, root, keys.root_epoch(), datetime.now(UTC))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    _, err = run("rotate_root", "--now")
    assert "█" in err
    assert "3 of 3" in err
    assert "/s" in err


def test_damaged_keys_are_counted_and_fail_the_command(root: bytes) -> None:
    many(2, root, keys.root_epoch(), datetime.now(UTC))
    OwnerKey.objects.update(wrapped=bytes(60))
    with pytest.raises(CommandError, match=r"2 owner keys do not open"):
        run("rotate_root", "--now")


def test_a_role_without_roots_is_told_so(born: Any) -> None:
    born("intake")
    with pytest.raises(CommandError, match=r"holds no root keys"):
        run("rotate_root", "--now")


def test_a_lost_key_is_given_up_by_name(root: bytes) -> None:
    label = keys.root_epoch()
    said, _ = run("give_up_key", "--sort", "root", "--label", label)
    assert f"root key {label} is given up" in said
    assert RootEpoch.objects.get(pk=label).destroyed_at is not None
    with pytest.raises(CommandError, match=f"No living root key is called {label}"):
        run("give_up_key", "--sort", "root", "--label", label)
