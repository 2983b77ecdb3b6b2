"""`manage.py staff`: who is on staff is decided there, and told by id."""

import io
import uuid

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from accounts.models import Session, User
from deploy.management.commands import staff as command
from deploy.staff.roles import Role
from tests.staff.members import client, member

PASSWORD = "a long and rare passphrase"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("staff", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def person() -> User:
    return User.objects.create_user(f"{uuid.uuid4().hex}@example.org", PASSWORD)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed where a password is asked for."""
    answers: list[str] = []
    monkeypatch.setattr(command, "getpass", lambda _prompt: answers.pop(0))
    return answers


def roles(user: User) -> set[str]:
    user.refresh_from_db()
    return set(user.groups.values_list("name", flat=True))


def test_it_puts_somebody_into_a_role_and_names_them_by_id(person: User) -> None:
    said = run("add", person.email.upper(), "support")
    assert roles(person) == {"support"}
    assert person.is_staff
    assert not person.is_superuser
    assert str(person.pk) in said
    assert "no second factor" in said
    assert person.email not in said
    run("add", str(person.pk), "privacy")
    assert roles(person) == {"support", "privacy"}


def test_it_takes_them_out_and_signs_them_out(person: User) -> None:
    run("add", str(person.pk), "support")
    run("add", str(person.pk), "operator")
    client(person)
    assert "not support any more" in run("remove", str(person.pk), "support")
    assert roles(person) == {"operator"}
    assert person.is_staff
    assert not Session.objects.filter(user_id=person.pk).exists()
    assert "not on staff any more" in run("remove", person.email)
    assert roles(person) == set()
    assert not person.is_staff


def test_it_takes_a_superuser_off_staff() -> None:
    chief = member(superuser=True)
    run("remove", str(chief.pk))
    chief.refresh_from_db()
    assert not chief.is_staff
    assert not chief.is_superuser


def test_it_forgets_a_lost_factor_of_staff_and_of_nobody_else(person: User) -> None:
    user = member(Role.CONTENT)
    for one in (user, person):
        Authenticator.objects.create(user=one, type=Authenticator.Type.TOTP, data={})
    client(user)
    assert "1 forgotten" in run("reset", str(user.pk))
    assert not Authenticator.objects.filter(user=user).exists()
    assert not Session.objects.filter(user_id=user.pk).exists()
    with pytest.raises(CommandError, match="not on staff"):
        run("reset", str(person.pk))
    assert Authenticator.objects.filter(user=person).exists()


def test_it_lists_ids_roles_and_factors_and_no_address(person: User) -> None:
    user, chief = member(Role.AUDITOR, Role.PRIVACY), member(superuser=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    lines = {line.split("  ")[0]: line for line in run("list").splitlines()}
    assert lines[str(user.pk)].endswith("auditor, privacy; authenticator app")
    assert lines[str(chief.pk)].endswith("superuser; no second factor")
    assert str(person.pk) not in lines
    assert "@" not in run("list")


def test_it_makes_an_account_with_a_password_that_is_typed_twice(typed: list[str]) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    typed.extend(["short"])
    with pytest.raises(CommandError, match="too short"):
        run("add", email, "support", "--new")
    typed.extend([PASSWORD, "another passphrase"])
    with pytest.raises(CommandError, match="two passwords"):
        run("add", email, "support", "--new")
    assert not User.objects.filter(email=email).exists()
    typed.extend([PASSWORD, PASSWORD])
    said = run("add", email, "support", "--new")
    made = User.objects.get(email=email)
    assert made.check_password(PASSWORD)
    assert roles(made) == {"support"}
    assert email not in said
    with pytest.raises(CommandError, match="leave out --new"):
        run("add", email, "support", "--new")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "nobody@example.org", "support"), "no such account"),
        (("add", str(uuid.UUID(int=7)), "support"), "no such account"),
        (("add", str(uuid.UUID(int=7)), "support", "--new"), "needs an e-mail"),
        (("add", "nobody@example.org", "emperor"), "invalid choice"),
        (("promote", "nobody@example.org"), "invalid choice"),
    ],
)
def test_what_it_does_not_understand_is_one_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*arguments)
