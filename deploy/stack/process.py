"""Starting and stopping one process: a session of its own, a private log, the guard's eye on it.

Each process leads its own session, so Ctrl-C at the terminal reaches the supervisor alone and the
order of stopping is the supervisor's. A whole group is killed, never only its leader.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.stack import guard

LOG_LIMIT = 20_000_000


class Guard:
    """The supervisor's end of the guard's pipe."""

    def __init__(self, *, mark: str, lock: int) -> None:
        self.mark = mark
        self._turn = threading.Lock()
        # The guard keeps the lock's descriptor: the data folder stays taken until it has cleaned.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, mark],
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(lock,),
            env={},
            text=True,
        )

    def tell(self, line: str) -> None:
        stream = self._process.stdin
        if stream is None:
            return
        with self._turn, suppress(OSError, ValueError):
            stream.write(line + "\n")
            stream.flush()

    def dismiss(self) -> None:
        guard.sweep(self.mark)
        self.tell("goodbye")
        self._process.communicate()


@dataclass(frozen=True)
class Command:
    """What to run; `uid` is set only where PostgreSQL must not be root."""

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 8.0
    uid: int | None = None


@dataclass
class Process:
    command: Command
    guard: Guard
    started: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        command = self.command
        if command.log.exists() and command.log.stat().st_size > LOG_LIMIT:
            command.log.replace(command.log.with_suffix(".log.1"))
        log = os.open(command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._popen = subprocess.Popen(
                command.argv,
                env={**command.env, guard.MARK: self.guard.mark},
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=command.uid,
                group=command.uid,
                extra_groups=None if command.uid is None else [],
                umask=0o077,
            )
        finally:
            os.close(log)
        self.guard.tell(f"watch {self.pid} {int(command.stop_signal)}")

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        return self._popen.poll()

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def wait(self, timeout: float) -> bool:
        """Whether it has ended by then."""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)
            return True
        return False

    def bury(self) -> None:
        """End what is left of the group, its leader included."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        self.guard.tell(f"forget {self.pid}")


def stop_all(processes: Sequence[Process]) -> None:
    """Ask all at once, wait for each no longer than its grace, then insist."""
    for process in processes:
        process.send(process.command.stop_signal)
    begun = time.monotonic()
    for process in processes:
        process.wait(max(0.0, begun + process.command.grace - time.monotonic()))
    for process in processes:
        process.bury()
