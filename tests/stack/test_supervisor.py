"""The supervisor at a terminal: it refuses by one sentence and leaves nothing behind."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.env import ROOT
from deploy.stack import guard
from deploy.stack.errors import AlreadyRunning, ProductionRefused, StackError
from deploy.stack.folders import Folders
from deploy.stack.supervisor import Stack
from tests.stack.conftest import Terminal, gone


def stack(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.stack", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("value", ["true", "1", "YES"])
def test_it_refuses_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SITTER_PRODUCTION", value)
    with pytest.raises(ProductionRefused, match="SITTER_PRODUCTION"):
        Stack(tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_production_at_the_terminal_is_one_sentence(
    tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    env = clean_environ | {"SITTER_PRODUCTION": "true"}
    done = stack(env, "up", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "refuses to run in production" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SITTER_STACK_POSTGRES_URL", "postgresql://admin:geheim@127.0.0.1:9/postgres"),
        ("SITTER_STACK_BROKER_URL", "redis://:geheim@127.0.0.1:9/0"),
        ("SITTER_STACK_S3_ENDPOINT_URL", "http://127.0.0.1:9"),
    ],
)
def test_a_managed_service_that_is_down_is_named_with_its_setting(
    tmp_path: Path, clean_environ: dict[str, str], setting: str, value: str
) -> None:
    env = clean_environ | {setting: value, "SITTER_STACK_S3_SECRET_KEY": "geheim"}
    done = stack(env, "up", "--services-only", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert setting in done.stderr
    assert "is down" in done.stderr
    assert "Traceback" not in done.stderr
    assert "geheim" not in done.stderr


def test_a_killed_supervisor_leaves_no_process_behind_and_ctrl_c_ends_the_next(
    terminal: Callable[..., Terminal],
) -> None:
    running = terminal("up", "--services-only")
    family = running.family()
    assert len(family) >= 4
    running.process.kill()
    running.process.wait(5)
    assert gone(family, running.data)
    again = terminal("up", "--services-only")
    family = again.family()
    assert len(family) >= 4
    again.process.send_signal(signal.SIGINT)
    assert again.process.wait(20) == 0
    assert gone(family, again.data, patience=1)


def test_a_process_that_left_its_group_is_found_by_its_mark() -> None:
    mark = "0123456789abcdef-test"
    stray = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env={guard.MARK: mark},
        start_new_session=True,
    )
    time.sleep(0.2)
    assert guard.marked(mark) == [stray.pid]
    guard.sweep(mark)
    assert stray.wait(5) == -signal.SIGKILL


def test_two_supervisors_do_not_share_a_folder(services: Stack) -> None:
    with pytest.raises(AlreadyRunning, match="Another stack is running"):
        Stack(services.folders.data, roles=()).start()
    services.wait_ready(5)


def test_run_gives_the_command_its_addresses_and_returns_its_status(
    used: Path, clean_environ: dict[str, str]
) -> None:
    script = (
        "import json, os; s = json.load(open(os.environ['SITTER_STACK_STATE']));"
        "assert s['web'] == os.environ['SITTER_URL'] and s['s3_bucket'] == 'sitter';"
        "print(json.dumps(s)); raise SystemExit(7)"
    )
    command = ["run", "--services-only", "--data", str(used), "--"]
    done = stack(clean_environ, *command, sys.executable, "-c", script)
    assert done.returncode == 7, done.stderr
    state = json.loads(done.stdout)
    assert gone(list(state["running"].values()), used, patience=1)
    passwords = json.loads(Folders(used).credentials.read_text("utf-8"))
    assert not [word for word in passwords.values() if word in done.stdout + done.stderr]


def test_status_tells_what_runs(services: Stack, clean_environ: dict[str, str]) -> None:
    done = stack(clean_environ, "status", "--data", str(services.folders.data))
    assert done.returncode == 0
    assert set(json.loads(done.stdout)["running"]) == {"postgres", "valkey", "s3"}


def test_status_says_so_where_nothing_runs(tmp_path: Path, clean_environ: dict[str, str]) -> None:
    assert stack(clean_environ, "status", "--data", str(tmp_path)).returncode == 1


def test_a_command_is_run_beside_it_as_a_role(
    services: Stack, clean_environ: dict[str, str]
) -> None:
    services.migrate()
    data = str(services.folders.data)
    asked = "import deploy.settings as ours; print(ours.DATABASES['default']['USER'])"
    for role in ("upkeep", "web"):
        done = stack(clean_environ, "manage", "--data", data, role, "shell", "-v0", "-c", asked)
        assert (done.stdout.strip(), done.returncode) == (f"sitter_{role}", 0), done.stderr
    assert stack(clean_environ, "manage", "--data", data, "web", "nonsense").returncode == 1


def test_beside_nothing_no_command_is_run(tmp_path: Path, clean_environ: dict[str, str]) -> None:
    done = stack(clean_environ, "manage", "--data", str(tmp_path), "upkeep", "prove")
    assert done.returncode == 1
    assert "No stack runs on" in done.stderr
    assert "Traceback" not in done.stderr


def test_fresh_deletes_no_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StackError, match="is not deleted"):
        Folders(tmp_path).remove()
    assert (tmp_path / "thesis.txt").exists()
