"""A role's environment holds what its compartment allows, and not one secret more."""

import stat
from pathlib import Path

import pytest

from deploy.env import Env, Role
from deploy.stack import credentials, roles
from deploy.stack.errors import StackError
from deploy.stack.folders import Folders
from deploy.stack.supervisor import Stack

D, B, S, M = (
    "SITTER_DATABASE_URL",
    "SITTER_BROKER_URL",
    "SITTER_S3_SECRET_KEY",
    "SITTER_MAIL_FOLDER",
)
ROOT, FLEET = "SITTER_ROOT_KEYS", "SITTER_FLEET_KEYS"
EVIDENCE, RECEIPT = "SITTER_EVIDENCE_KEYS", "SITTER_RECEIPT_KEYS"
C2PA = "SITTER_C2PA_KEYS"
GRANT = "SITTER_GRANT_KEYS"
GIVEN = {
    Role.WEB: {D, B, S, M, ROOT},
    Role.INTAKE: {D, B, S, FLEET},
    Role.GPU: {D, B, S, FLEET, C2PA},
    Role.UPKEEP: {D, B, S, M, RECEIPT},
    Role.KEEPER: {D, B, S, ROOT, EVIDENCE},
    Role.COURIER: {D, B, GRANT},
    Role.BEAT: {B},
    Role.FLOWER: {B},
    Role.MIGRATOR: {D},
}
GUARDED = {D, B, S, M, ROOT, FLEET, EVIDENCE, RECEIPT, C2PA, GRANT}


@pytest.mark.parametrize("role", Role)
def test_a_role_is_given_its_own_keys_and_no_other(services: Stack, role: Role) -> None:
    env = services.env(role)
    assert GUARDED & set(env) == GIVEN[role]
    assert env["SITTER_ROLE"] == role


@pytest.mark.parametrize("role", Role)
def test_no_password_of_another_compartment_appears_in_any_value(
    services: Stack, role: Role
) -> None:
    everything = "\n".join(services.env(role).values())
    allowed = {"flower"} if role in {Role.FLOWER, Role.WEB} else set()
    if D in GIVEN[role]:
        allowed |= {str(role)}
    if B in GIVEN[role]:
        allowed |= {"broker"}
    if S in GIVEN[role]:
        allowed |= {"s3_access_key", "s3_secret_key"}
    found = {name for name in credentials.NAMES if services.credentials[name] in everything}
    assert found == allowed


def test_each_role_signs_with_a_key_of_its_own(services: Stack) -> None:
    keys = [services.env(role)["SITTER_SECRET_KEY"] for role in Role]
    assert len(set(keys)) == len(keys)
    assert min(map(len, keys)) >= 32


def test_secrets_of_the_users_own_environment_are_not_passed_on(
    services: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "SITTER_STACK_S3_SECRET_KEY",
        "SITTER_SECRET_KEY",
        ROOT,
        "AWS_SECRET_ACCESS_KEY",
        D,
    ):
        monkeypatch.setenv(name, "the-users-own")
    monkeypatch.setenv("SITTER_MAIL_URL", "smtp://the-users-own")
    for role in Role:
        leaked = "the-users-own" in "\n".join(services.env(role).values())
        assert leaked == (role in {Role.WEB, Role.UPKEEP})  # the mail server's, which they need


def test_open_settings_of_the_user_are_passed_on(
    services: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITTER_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("SITTER_ENGINES", '["pocket"]')
    assert services.env(Role.GPU)["SITTER_LOG_LEVEL"] == "DEBUG"
    assert services.env(Role.WEB)["SITTER_ENGINES"] == '["pocket"]'


def test_the_courier_alone_is_given_what_the_webhook_is_signed_with(
    services: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITTER_WEBHOOK_URL", "https://push.example.org/sitter")
    monkeypatch.setenv("SITTER_WEBHOOK_KEYS", '["whsec_the-users-own"]')
    monkeypatch.setenv("SITTER_APPLE_KEY", "apple_the-users-own")
    for role in Role:
        env = services.env(role)
        assert env["SITTER_WEBHOOK_URL"] == "https://push.example.org/sitter"
        found = "\n".join(env.values())
        assert ("whsec_the-users-own" in found) == (role is Role.COURIER)
        assert ("apple_the-users-own" in found) == (role is Role.COURIER)


def test_there_is_a_courier_where_there_is_a_webhook() -> None:
    assert Role.COURIER not in roles.wanted({})
    assert set(roles.wanted({})) == set(roles.ALL)
    with_one = roles.wanted({"SITTER_WEBHOOK_URL": "https://push.example.org/sitter"})
    assert set(with_one) == {*roles.ALL, Role.COURIER}
    assert Role.COURIER in roles.wanted({"SITTER_APPLE_CLIENTS": '["org.example.app"]'})
    assert Role.COURIER not in roles.wanted({"SITTER_GOOGLE_CLIENTS": "[]"})


def test_the_settings_class_accepts_each_environment(
    services: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in Role:
        with monkeypatch.context() as patch:
            for name, value in services.env(role).items():
                patch.setenv(name, value)
            assert Env().role is role


def test_only_the_gpu_may_use_many_threads_and_it_is_offline(services: Stack) -> None:
    assert services.env(Role.GPU)["HF_HUB_OFFLINE"] == "1"
    assert "OMP_NUM_THREADS" not in services.env(Role.GPU)
    assert services.env(Role.INTAKE)["OMP_NUM_THREADS"] == "1"


def test_every_file_and_folder_is_the_owners_alone(services: Stack) -> None:
    data = services.folders.data
    ours = ["*", "logs/*", "s3/*", "valkey/*.conf"]
    for path in (path for pattern in ours for path in data.glob(pattern) if path.is_file()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for path in (
        data,
        *(path for path in [*data.glob("*"), *data.glob("keys/*")] if path.is_dir()),
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_no_password_is_on_a_command_line(services: Stack) -> None:
    secrets = [services.credentials[name] for name in credentials.NAMES]
    for name in ("postgres", "valkey", "s3"):
        line = Path(f"/proc/{services.pid(name)}/cmdline").read_text("utf-8")
        assert not [secret for secret in secrets if secret in line]


def test_it_makes_no_new_passwords_beside_an_old_database(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "data")
    folders.make()
    (folders.postgres / "data").mkdir()
    with pytest.raises(StackError, match=r"credentials\.json is missing"):
        credentials.load(folders)


def test_passwords_do_not_show_in_a_traceback(services: Stack) -> None:
    assert services.credentials["web"] not in repr(services.credentials)
