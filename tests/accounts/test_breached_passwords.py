"""What a breach has made known is nobody's password here; the list is the operator's own file."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError

from accounts.passwords import BreachedPasswordValidator
from tests import breaches


def known(listed: BreachedPasswordValidator, password: str) -> bool:
    try:
        listed.validate(password)
    except ValidationError as refusal:
        return refusal.code == "password_breached"
    return False


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_each_of_the_list_is_known_and_nothing_else_is(
    tmp_path: Path, ending: str, case: Callable[[str], str]
) -> None:
    dice = random.Random(6)
    theirs = [dice.randbytes(8).hex() for _ in range(300)]
    file = breaches.write(tmp_path / "list", *theirs, ending=ending)
    file.write_text(case(file.read_text("ascii")), "ascii", newline="")
    listed = BreachedPasswordValidator(file)
    ordered = sorted(theirs, key=breaches.digest)
    assert all(known(listed, password) for password in ordered)
    assert not any(known(listed, dice.randbytes(8).hex()) for _ in range(300))
    assert not known(listed, "")


def test_the_first_and_the_last_line_count(tmp_path: Path) -> None:
    ends = sorted(("one", "two", "three"), key=breaches.digest)
    file = tmp_path / "list"
    for many in (ends, ends[:1]):
        file.write_text("\n".join(breaches.digest(password) for password in many) + "\n")
        listed = BreachedPasswordValidator(file)
        assert [known(listed, password) for password in ends] == [word in many for word in ends]


@pytest.mark.parametrize("content", ["", "\n", "password\n", "DEADBEEF:3\n", "~" * 50])
def test_what_is_no_such_list_ends_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "list"
    file.write_text(content)
    with pytest.raises(ImproperlyConfigured, match="SITTER_BREACHED_PASSWORDS"):
        BreachedPasswordValidator(file)
