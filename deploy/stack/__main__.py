"""`python -m deploy.stack up | run | status | manage`: the stack at a terminal.

It turns every expected failure into one sentence and status 1, and shows no traceback for it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from deploy.env import Role
from deploy.stack import beside, roles, state
from deploy.stack.confinement import remove_own
from deploy.stack.errors import StackError
from deploy.stack.folders import DEFAULT, Folders
from deploy.stack.screen import Screen
from deploy.stack.supervisor import Stack

COMMAND_GRACE = 10.0
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    console = Console(stderr=True)
    for number in ENDINGS:
        signal.signal(number, _interrupt)
    try:
        if options.command == "status":
            return _status(options.data)
        if options.command == "manage":
            return beside.manage(Folders(options.data.resolve()), options.role, options.argv)
        return _serve(options, console)
    except StackError as error:
        console.print(f"[red]{type(error).__name__}:[/] {error}", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Ending is not itself interrupted: a second Ctrl-C would leave processes to the guard.
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start everything and stay in the foreground"),
        ("run", "start, run one command beside it, stop; its status is the command's"),
        ("status", "say what runs, as JSON; status 1 where nothing does"),
        ("manage", "run one of manage.py's commands as a role, beside a stack that runs"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--data", type=Path, default=DEFAULT, help="the data folder")
        if name in ("status", "manage"):
            continue
        command.add_argument("--roles", type=_roles, default=None, help="such as web,gpu")
        command.add_argument(
            "--services-only", dest="roles", action="store_const", const=(), help="no role at all"
        )
        command.add_argument("--fresh", action="store_true", help="delete earlier data first")
        command.add_argument("--no-restart", action="store_true", help="a dead role stays dead")
    commands.choices["run"].add_argument("argv", nargs="+", metavar="COMMAND")
    commands.choices["manage"].add_argument("role", type=Role, help="such as upkeep")
    commands.choices["manage"].add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser.parse_args(arguments)


def _roles(text: str) -> tuple[Role, ...]:
    return tuple(Role(name) for name in text.split(","))


def _serve(options: argparse.Namespace, console: Console) -> int:
    folders = Folders(options.data.resolve())
    screen = Screen(console)
    stack = Stack(
        options.data,
        roles=roles.wanted(os.environ) if options.roles is None else options.roles,
        restart=not options.no_restart,
        report=screen.report,
    )
    if options.fresh:
        if state.locked(folders.lock):
            raise StackError(f"A stack is running on {folders.data}; stop it first.")
        remove_own(folders.postgres)
        folders.remove()
    try:
        with screen:
            stack.start()
            stack.wait_ready()
        if options.command == "run":
            return _run(stack, options.argv)
        screen.welcome(stack.urls, folders)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return 130 if options.command == "run" else 0
    finally:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        stack.stop()


def _run(stack: Stack, argv: list[str]) -> int:
    places = {"SITTER_URL": stack.urls.web, "SITTER_STACK_STATE": str(stack.folders.state)}
    try:
        command = subprocess.Popen(argv, env={**os.environ, **places})
    except OSError as error:
        raise StackError(f"{argv[0]} cannot be run: {error.strerror}.") from error
    try:
        status = command.wait()
    except KeyboardInterrupt:
        command.terminate()
        try:
            command.wait(COMMAND_GRACE)
        except subprocess.TimeoutExpired:
            command.kill()
        raise
    # As a shell says it: a command that a signal ended has 128 and the signal's number.
    return status if status >= 0 else 128 - status


def _status(data: Path) -> int:
    found = state.read(Folders(data.resolve()))
    print(json.dumps(found or {"running": {}}, indent=1))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
