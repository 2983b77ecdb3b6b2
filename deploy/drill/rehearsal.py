"""The drill, step by step: people, a backup, people who end things, a loss, and the way back.

The clock runs from the loss until every check of `manage.py prove` holds again: only then would
an operator let anybody in.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pyrage import x25519

from deploy.demo.errors import expect
from deploy.demo.screen import Screen, Step
from deploy.drill import backup, looks
from deploy.drill.cast import Cast
from deploy.drill.story import FEWEST, Outcome
from deploy.env import Role
from deploy.prove.look import Result, manage
from deploy.stack import roles
from deploy.stack.confinement import remove_own
from deploy.stack.supervisor import Stack

BEFORE: Final = (Role.KEEPER, Role.INTAKE, Role.UPKEEP)
# Upkeep is the first, and alone; Flower only watches.
AFTER: Final = (Role.WEB, Role.GPU, Role.KEEPER, Role.INTAKE, Role.BEAT)
PATIENCE: Final = 900.0


class Rehearsal:
    """Use it once: `run` goes through all of it in one data folder."""

    def __init__(
        self, data: Path, people: int, screen: Screen, extra_env: Mapping[str, str] | None = None
    ) -> None:
        expect(people >= FEWEST, f"The drill needs {FEWEST} people or more.")
        self.data = data
        self.screen = screen
        self.file = data / "backup.age"
        self.outcome = Outcome(people)
        self.story = self.outcome.story
        self._extra_env = extra_env
        # Beside the backup for as long as the drill lasts; an operator's never is.
        self._identity = x25519.Identity.generate()
        self._clock = 0.0

    def run(self) -> Outcome:
        """Raises DemoError or StackError where it cannot go on; what does not hold is a result."""
        with self._stack() as stack, Cast(stack) as cast:
            self._live(stack, cast)
        with self.screen.step("The database is lost"):
            _delete_cluster(self.data)
        self._clock = time.monotonic()
        with self._stack() as stack, Cast(stack) as cast:
            self._come_back(stack, cast)
            with self.screen.step("Look at everybody") as step:
                told = _bar(step, "portraits opened", len(self.story.living))
                self.outcome.results += looks.afterwards(cast, self.story, told)
        return self.outcome

    @contextmanager
    def _stack(self) -> Iterator[Stack]:
        """One that is not started yet, and is stopped whatever happens."""
        stack = Stack(self.data, roles=(), preferred_ports=False, extra_env=self._extra_env)
        try:
            yield stack
        finally:
            stack.stop()

    # --- Before the loss --------------------------------------------------------------------------

    def _live(self, stack: Stack, cast: Cast) -> None:
        with self.screen.step("Start an installation"):
            stack.start()
            stack.migrate()
            _start(stack, BEFORE)
        with self.screen.step("People come") as step:
            count = self.outcome.people
            self.story.divide(cast.arrive(count, heard=_bar(step, "people", count)))
            step.say(f"{count} people, each with a key, a consent and a portrait", people=count)
        with self.screen.step("Some wait for a portrait") as step:
            self.story.waiting = cast.act(Role.WEB, "wait", self.story.waiters())
            step.say(f"{len(self.story.waiting)} jobs are open")
            cast.act(Role.UPKEEP, "settle")
        with self.screen.step("Take an encrypted backup") as step:
            url = stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
            size = backup.take(url, self.file, self._identity.to_public())
            step.say(f"{size / 1e6:.1f} MB", bytes=size)
        with self.screen.step("Look into the backup"):
            keys = stack.folders.keys("")
            self.outcome.results += looks.into_backup(self.file, self._identity, keys)
        with self.screen.step("People leave, and end things") as step:
            self._end_things(cast, step)

    def _end_things(self, cast: Cast, step: Step) -> None:
        story, total = self.story, len(self.story.leavers)
        half = total // 2
        bar = _bar(step, "erasures asked for", total)
        story.receipts = cast.act(Role.WEB, "leave", story.leavers[:half], heard=bar)
        # What the ledger has confirmed by the time of the loss, and, behind it, what it has not.
        cast.act(Role.UPKEEP, "settle")
        more = story.leavers[half:]
        story.receipts += cast.act(Role.WEB, "leave", more, heard=lambda done: bar(half + done))
        story.ends = cast.act(Role.WEB, "shorten", story.shorteners)
        cast.act(Role.WEB, "withdraw", story.withdrawers)
        told = _bar(step, "receipts signed", total)
        _until(lambda: looks.proved(cast, story), total, told)
        story.undecided = cast.act(Role.UPKEEP, "undecided")
        step.say(
            f"{total} accounts erased, {len(story.shorteners)} portraits end sooner,"
            f" {len(story.withdrawers)} consents withdrawn; {story.undecided} of it undecided"
        )

    # --- The way back -----------------------------------------------------------------------------

    def _come_back(self, stack: Stack, cast: Cast) -> None:
        story = self.story
        with self._part("a fresh cluster"):
            stack.start()
        with self._part("the backup restored") as step:
            url = stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
            backup.restore(url, self.file, self._identity)
            stack.migrate()
            back = looks.alive(cast, story)
            step.say(f"it brings back {back} who had left")
        self._note("control.brought_back", back == len(story.leavers), f"{back} came back", back)
        with self._part("the ledger replayed") as step:
            stack.start_role(Role.UPKEEP)
            told = _bar(step, "erased again", len(story.receipts))
            _until(lambda: looks.proved(cast, story), len(story.receipts), told)
            stack.wait_ready(PATIENCE)
        alive = looks.alive(cast, story)
        says = f"{alive} of {back} are there before anything else is started"
        self._note("replay.before_ready", alive == 0, says, back)
        with self._part("every role ready"):
            _start(stack, AFTER)
        with self._part("proved") as step:
            said = json.loads(manage(stack, Role.UPKEEP, "prove", "--json"))
            count = len(said["checks"])
            step.say(f"{count - len(said['failed'])} of {count} checks hold")
        words = f"{count} checks" if said["holds"] else f"failed: {', '.join(said['failed'])}"
        self._note("prove", said["holds"], words, count)

    @contextmanager
    def _part(self, name: str) -> Iterator[Step]:
        """A step of the way back: its seconds count, and those since the part before it."""
        with self.screen.step(name.capitalize()) as step:
            yield step
        now = time.monotonic()
        self.outcome.seconds[name] = now - self._clock
        self._clock = now

    def _note(self, name: str, holds: bool, says: str, n: int) -> None:
        self.outcome.results.append(Result(name, holds, says, n))


def _start(stack: Stack, wanted: Sequence[Role]) -> None:
    for role in sorted(wanted, key=roles.ORDER.index):
        stack.start_role(role)
    stack.wait_ready(PATIENCE)


def _until(count: Callable[[], int], wanted: int, told: Callable[[int], None]) -> None:
    deadline = time.monotonic() + PATIENCE
    while (done := count()) < wanted:
        told(done)
        expect(time.monotonic() < deadline, f"{done} of {wanted} after {PATIENCE:.0f} s.")
        time.sleep(0.2)
    told(done)


def _bar(step: Step, name: str, total: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        percent = 100 * done // total if total else 100
        # In fifths for those who read lines, so that they are not told of every person.
        step.bar(name, percent, f"{percent // 20 * 20} %")

    return show


def _delete_cluster(data: Path) -> None:
    remove_own(data / "postgres")
    shutil.rmtree(data / "postgres")
