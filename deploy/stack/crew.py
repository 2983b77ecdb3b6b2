"""Who must be running: each member is started, watched, restarted with a growing pause, stopped.

It knows processes and readiness, and nothing of databases, keys or command lines.
"""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGSTOP, Signals

from deploy.stack.errors import ServiceDown, StackError
from deploy.stack.process import Process, stop_all

Report = Callable[[str, str], None]
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 20.0
# After this long alive, an old death counts no more.
FORGIVEN_AFTER = 60.0
# A role that dies this often before it was ever ready has a fault that no restart mends.
HOPELESS = 3


@dataclass
class Member:
    """One role or service that should run."""

    name: str
    launch: Callable[[], Process]
    answers: Callable[[Process], bool]
    complaint: Callable[[], str]
    process: Process
    ready: bool = False
    was_ready: bool = False
    deaths: int = 0
    due: float | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.alive

    def look(self) -> bool:
        if not self.process.alive:
            self.ready = False
        elif not self.ready and self.answers(self.process):
            self.ready = self.was_ready = True
        return self.ready


class Crew:
    def __init__(self, *, restart: bool, report: Report) -> None:
        self.members: dict[str, Member] = {}
        self._restart = restart
        self._report = report
        self._turn = threading.RLock()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._keep, name="stack-crew", daemon=True)

    @property
    def over(self) -> bool:
        return self._over.is_set()

    def cancel(self) -> None:
        self._over.set()

    def start(
        self,
        name: str,
        launch: Callable[[], Process],
        answers: Callable[[Process], bool],
        complaint: Callable[[], str],
    ) -> Member:
        with self._turn:
            if self.over:
                raise StackError("The stack is stopping.")
            if name in self.members and self.members[name].alive:
                raise StackError(f"{name} runs already.")
            member = Member(name, launch, answers, complaint, launch())
            self._enlist(member)
        self._report(name, "starting")
        return member

    def adopt(self, member: Member) -> None:
        """Take in one that was started elsewhere and is ready."""
        with self._turn:
            if self.over:
                stop_all([member.process])
                raise StackError("The stack is stopping.")
            self._enlist(member)
        self._report(member.name, "ready")

    def _enlist(self, member: Member) -> None:
        self.members[member.name] = member
        if not self._watch.ident:
            self._watch.start()

    def wait_ready(self, timeout: float) -> None:
        """Return once all answer; raise as soon as one of them cannot any more."""
        deadline = time.monotonic() + timeout
        while not self.over:
            with self._turn:
                members = list(self.members.values())
            waiting = [member for member in members if not self._look(member)]
            if not waiting:
                return
            for member in waiting:
                if not member.alive and (not self._restart or member.deaths >= HOPELESS):
                    code = member.process.returncode
                    word = _last_word(member.process.command.log)
                    self._fail(member, f"it ended with status {code}: {word}")
            if time.monotonic() > deadline:
                self._fail(waiting[0], f"after {timeout:.0f} s {waiting[0].complaint()}")
            time.sleep(0.05)

    def _look(self, member: Member) -> bool:
        before = member.ready
        after = member.look()
        if after and not before:
            self._report(member.name, "ready")
        return after

    def _fail(self, member: Member, reason: str) -> None:
        self._report(member.name, "failed")
        raise ServiceDown(member.name, reason, f"its log {member.process.command.log}")

    def kill(self, name: str, number: Signals) -> None:
        """Send a signal, and for those that end a process wait for the end."""
        member = self.members[name]
        member.process.send(number)
        if number not in (SIGSTOP, SIGCONT):
            member.process.wait(member.process.command.grace)
            member.look()

    def stop(self, names: Collection[str]) -> None:
        """These end for good, all at once."""
        with self._turn:
            leaving = [self.members.pop(name) for name in names if name in self.members]
        for member in leaving:
            self._report(member.name, "stopping")
        stop_all([member.process for member in leaving])

    def end(self, order: Sequence[Collection[str]]) -> None:
        self.cancel()
        if self._watch.ident and self._watch is not threading.current_thread():
            self._watch.join()
        for names in order:
            self.stop(names)

    def _keep(self) -> None:
        while not self._over.wait(0.2):
            with self._turn:
                for member in list(self.members.values()):
                    self._mind(member)

    def _mind(self, member: Member) -> None:
        now = time.monotonic()
        if member.alive:
            lived = time.time() - member.process.started
            if lived > FORGIVEN_AFTER and member.deaths:
                member.deaths = 0
            return
        if member.due is None:
            member.deaths += 1
            member.ready = False
            member.process.bury()
            self._report(member.name, "died")
            pause = min(FIRST_PAUSE * 2 ** (member.deaths - 1), LONGEST_PAUSE)
            member.due = now + pause
        hopeless = not member.was_ready and member.deaths >= HOPELESS
        if self._restart and not hopeless and now >= member.due:
            member.due = None
            member.process = member.launch()
            self._report(member.name, "starting")


def _last_word(log: Path) -> str:
    """The last line that a process wrote, which mostly says why it ended."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2000))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "no word.")
