"""Starts processes with the environment of a role, has them do acts, and hears them."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self

import psycopg

from deploy.demo.errors import DemoError
from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack

BEGIN: Final = "import django; django.setup(); from deploy.drill import acts; acts.main()"
Heard = Callable[[int], None]


class ActFailed(DemoError):
    """An act ended badly; the last that it said is in the sentence."""


class Player:
    """A process with an environment of its own that does one act after another."""

    def __init__(self, env: Mapping[str, str], begin: str = BEGIN) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", begin],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._complaints: list[str] = []
        stderr = self._process.stderr or ()
        self._reader = Thread(target=lambda: self._complaints.extend(stderr), daemon=True)
        self._reader.start()

    def play(self, name: str, told: Any = None, heard: Heard = lambda _: None) -> Any:
        """What the act answers. Raises ActFailed where the process ends instead."""
        with suppress(BrokenPipeError):
            print(json.dumps([name, told]), file=self._process.stdin, flush=True)
        for line in self._process.stdout or ():
            said = json.loads(line)
            if "answer" in said:
                return said["answer"]
            heard(said["done"])
        self.rest()
        status, words = self._process.returncode, "".join(self._complaints)
        raise ActFailed(f"{name} ended with {status}: {words[-500:]}")

    def rest(self) -> None:
        """It ends with its input; the second time nothing."""
        for pipe in (self._process.stdin, self._process.stdout):
            # What it was told and never read is nobody's any more.
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()
        self._reader.join()
        with self._process:
            pass


@dataclass(frozen=True)
class Cast:
    """The processes of one stack: one a role, from its first act until all rest."""

    stack: Stack
    _players: dict[str, Player] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._players:
            self._players.popitem()[1].rest()

    def act(self, role: Role, name: str, told: Any = None, *, heard: Heard = lambda _: None) -> Any:
        """What an act answers; `heard` is called with how much of it is done."""
        if role not in self._players:
            self._players[role] = Player(self.stack.env(role))
        return self._players[role].play(name, told, heard)

    def arrive(self, people: int, *, heard: Heard) -> list[tuple[str, str]]:
        """People with everything that they would have made in a while: (person, blob)."""
        env = {**self.stack.env(Role.WEB), **self.stack.env(Role.MIGRATOR)}
        # The migrator may not hold it, so the act takes it into its own hands.
        roots = env.pop("SITTER_ROOT_KEYS")
        told = {"people": people, "roots": roots}
        player = Player(env)
        try:
            return [(who, blob) for who, blob in player.play("arrive", told, heard)]
        finally:
            player.rest()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What lies in the database, by the login that owns it."""
        url = self.stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def number(self, query: str, *values: object) -> int:
        """The one number that a query comes to."""
        return int(self.rows(query, *values)[0][0])
