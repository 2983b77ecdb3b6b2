"""A real role under the supervisor: it gets its own environment, and comes back when it dies."""

from collections.abc import Iterator
from pathlib import Path
from signal import SIGSTOP

import pytest

from deploy.env import Role
from deploy.stack.errors import ServiceDown, StackError
from deploy.stack.supervisor import Stack


@pytest.fixture
def beat(services: Stack) -> Iterator[Stack]:
    services.start_role(Role.BEAT)
    services.wait_ready(30)
    yield services
    services.stop_role(Role.BEAT)


def test_a_role_that_dies_comes_back(beat: Stack) -> None:
    before = beat.pid(Role.BEAT)
    beat.kill_role(Role.BEAT)
    beat.wait_ready(30)
    assert beat.pid(Role.BEAT) != before


def test_the_process_has_the_environment_of_its_compartment(beat: Stack) -> None:
    raw = Path(f"/proc/{beat.pid(Role.BEAT)}/environ").read_text("utf-8")
    names = {entry.partition("=")[0] for entry in raw.split("\0") if entry}
    assert names == {*beat.env(Role.BEAT), "SITTER_STACK_MARK"}


def test_the_same_role_is_not_started_twice(beat: Stack) -> None:
    with pytest.raises(StackError, match="beat runs already"):
        beat.start_role(Role.BEAT)


def test_a_role_that_ignores_its_end_is_ended_all_the_same(services: Stack) -> None:
    services.start_role(Role.BEAT)
    pid = services.pid(Role.BEAT)
    services.kill_role(Role.BEAT, SIGSTOP)
    services.stop_role(Role.BEAT)
    assert not Path(f"/proc/{pid}").exists()


def test_a_role_that_cannot_start_is_named_with_its_log(services: Stack) -> None:
    services.start_role(Role.BEAT, extra_env={"DJANGO_SETTINGS_MODULE": "no.such.settings"})
    try:
        with pytest.raises(ServiceDown, match=r"beat is down: .*beat\.log"):
            services.wait_ready(60)
    finally:
        services.stop_role(Role.BEAT)
