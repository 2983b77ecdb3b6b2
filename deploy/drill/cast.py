"""Starts acts, each in a process of its own with the environment of a role, and hears them."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final

import psycopg

from deploy.demo.errors import DemoError
from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack

BEGIN: Final = "import django; django.setup(); from deploy.drill import acts; acts.main()"
Heard = Callable[[int], None]


class ActFailed(DemoError):
    """An act ended badly; the last that it said is in the sentence."""


@dataclass(frozen=True)
class Cast:
    """The processes of one stack."""

    stack: Stack

    def act(self, role: Role, name: str, told: Any = None, *, heard: Heard = lambda _: None) -> Any:
        """What an act answers; `heard` is called with how much of it is done."""
        return self._run(name, told, self.stack.env(role), heard)

    def arrive(self, people: int, *, heard: Heard) -> list[tuple[str, str]]:
        """People with everything that they would have made in a while: (person, blob)."""
        env = {**self.stack.env(Role.WEB), **self.stack.env(Role.MIGRATOR)}
        # The migrator may not hold it, so the act takes it into its own hands.
        roots = env.pop("SITTER_ROOT_KEYS")
        told = {"people": people, "roots": roots}
        return [(who, blob) for who, blob in self._run("arrive", told, env, heard)]

    def _run(self, name: str, told: Any, env: dict[str, str], heard: Heard) -> Any:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", BEGIN, name],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        complaints: list[str] = []
        reader = Thread(target=lambda: complaints.extend(process.stderr or ()), daemon=True)
        reader.start()
        answer: Any = None
        with process:
            if process.stdin and process.stdout:
                process.stdin.write(json.dumps(told))
                process.stdin.close()
                for line in process.stdout:
                    said = json.loads(line)
                    if "answer" in said:
                        answer = said["answer"]
                    else:
                        heard(said["done"])
            reader.join()
        if process.returncode:
            raise ActFailed(f"{name} ended with {process.returncode}: {''.join(complaints)[-500:]}")
        return answer

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What lies in the database, by the login that owns it."""
        url = self.stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def number(self, query: str, *values: object) -> int:
        """The one number that a query comes to."""
        return int(self.rows(query, *values)[0][0])
