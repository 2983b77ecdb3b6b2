"""A runbook page as whoever is awake reads it: commands to type, sentences to go by.

The commands are those of the page's code blocks. They are adapted as the table in
deploy/docs/runbooks/README.md says for an embedded stack, and in nothing else.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import psutil
from psycopg.conninfo import conninfo_to_dict

from deploy.drill.backup import VARIABLES
from deploy.env import ROOT, Role
from deploy.stack import postgres, roles
from deploy.stack.supervisor import Stack
from tests.metrics.prometheus import TOKEN

OPERATING: Final = ROOT / "deploy" / "docs" / "operating.md"
PATIENCE: Final = 120
# Of an answer, so many lines from its end are kept.
KEPT: Final = 40
_BLOCK: Final = re.compile(r"```bash\n(.*?)```", re.DOTALL)
_LINK: Final = re.compile(r"\]\(([\w-]+\.md)\)")


@dataclass(frozen=True)
class Page:
    """One page, by its file."""

    file: Path

    @cached_property
    def text(self) -> str:
        return self.file.read_text()

    @property
    def commands(self) -> list[str]:
        """What the page tells to type, a line each."""
        return [line for block in _BLOCK.findall(self.text) for line in block.splitlines()]

    def says(self, sentence: str) -> bool:
        """Whether it does, however its lines are broken."""
        return " ".join(sentence.split()) in " ".join(self.text.split())

    def linked(self, name: str) -> "Page":
        """Another page that this one sends its reader to. Raises KeyError where it does not."""
        if name not in _LINK.findall(self.text):
            raise KeyError(name)
        return Page(self.file.parent / name)


@dataclass(frozen=True)
class Answer:
    """What a command has printed, its last lines, and how it ended."""

    command: str
    lines: tuple[str, ...]
    status: int

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def placeless(line: str) -> str:
    """A line without the folders of the machine that printed it."""
    line = re.sub(r"[^\s\"']*/bin/python[\d.]*", "python", line)
    return re.sub(r"/(?:tmp|work|root|home)/[^\s\"',]*", "…", line)


def role_of(command: str) -> Role:
    """As whom `manage.py …` is run, by the table of operating.md."""
    name = command.split()[1]
    row = re.search(rf"`manage\.py {name}\b[^|]*`, (\w+)", OPERATING.read_text())
    if row is None:
        raise KeyError(name)
    return Role(row[1])


@dataclass(frozen=True)
class Desk:
    """Where somebody sits who has an embedded stack before them."""

    stack: Stack

    def type(self, command: str) -> Answer:
        """Run a line as it stands on a page."""
        if command.startswith("manage.py"):
            done = self._manage(command)
        else:
            done = self._run(["bash", "-c", command], self._shell(), self.stack.folders.logs)
        lines = (done.stdout + done.stderr).strip().splitlines()
        if command.startswith("pgrep"):
            lines = self._ours(lines)
        return Answer(command, tuple(map(placeless, lines[-KEPT:])), done.returncode)

    def _manage(self, command: str) -> "subprocess.CompletedProcess[str]":
        argv = [roles.PYTHON, *shlex.split(command)]
        return self._run(argv, self.stack.env(role_of(command)), ROOT)

    def _shell(self) -> dict[str, str]:
        # As the administrator, on the database of Sitter.
        ours = conninfo_to_dict(self.stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"])["dbname"]
        said = {**conninfo_to_dict(self.stack.admin_database_url), "dbname": ours}
        login = {VARIABLES[name]: str(value) for name, value in said.items() if name in VARIABLES}
        path = f"{postgres.program() / 'bin'}:{os.environ['PATH']}"
        places = {"SITTER_URL": self.stack.urls.web, "SITTER_METRICS_TOKEN": TOKEN}
        return {**login, **places, "PATH": path}

    @staticmethod
    def _run(
        argv: list[str], env: Mapping[str, str], folder: Path
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            argv, env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    def _ours(self, lines: list[str]) -> list[str]:
        """The processes of this stack alone: on a machine of tests others run beside it."""
        mine = {child.pid for child in psutil.Process().children(recursive=True)}
        return [line for line in lines if int(line.split()[0]) in mine]
