"""`manage.py asvs_table`: write deploy/docs/asvs.md from the rows in asvs.csv beside it."""

import csv
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.core.management.base import BaseCommand

from deploy.env import ROOT

ROWS: Final = ROOT / "deploy" / "docs" / "asvs.csv"
PAGE: Final = ROOT / "deploy" / "docs" / "asvs.md"
STATES: Final = ("met", "partly", "not met", "does not apply")
CHAPTERS: Final = (
    *("Encoding and sanitisation", "Validation and business logic", "Web frontend"),
    *("API and web service", "File handling", "Authentication", "Session management"),
    *("Authorization", "Self-contained tokens", "OAuth and OIDC", "Cryptography"),
    *("Secure communication", "Configuration", "Data protection"),
    *("Secure coding and architecture", "Logging and error handling", "WebRTC"),
)
INTRODUCTION: Final = """\
# ASVS 5.0, level 2, row by row

Every requirement of levels 1 and 2 of OWASP's Application Security Verification Standard 5.0.0,
and those of level 3 that weigh most where faces are kept. `met` names the test that shows it, or
where it stands written; `partly` and `not met` say what is missing. Written by
`manage.py asvs_table` from [asvs.csv](asvs.csv); a test holds it against the list of ids and looks
for every test that is named.

Nobody outside has looked at this. The numbering is OWASP's, under CC BY-SA 4.0
(<https://github.com/OWASP/ASVS>); the words are ours, and too few to stand for theirs.
"""


class Row(NamedTuple):
    """One requirement."""

    id: str
    level: str
    state: str
    what: str
    shown_by: str
    why: str

    @property
    def chapter(self) -> int:
        """Its first number."""
        return int(self.id.split(".")[0])

    @property
    def proof(self) -> str:
        """Where it is shown, as a link from the page, and what there is to say."""
        said = [self.why] if self.why else []
        if self.shown_by:
            file, _, test = self.shown_by.partition("::")
            said.insert(0, f"[{test or file}](../../{file})")
        return ". ".join(said)


def rows() -> list[Row]:
    """The table."""
    with ROWS.open(newline="") as file:
        return [Row(**row) for row in csv.DictReader(file)]


def render() -> str:
    """The page."""
    table = rows()
    counts = Counter(row.state for row in table)
    told = ", ".join(f"{state} {counts[state]}" for state in STATES)
    parts = [INTRODUCTION, f"{len(table)} requirements ({told}).\n"]
    for chapter, found in groupby(table, key=lambda row: row.chapter):
        parts.append(f"\n## V{chapter} {CHAPTERS[chapter - 1]}\n")
        parts.append("| id | level | what | state | shown by |\n|---|---|---|---|---|")
        parts += [
            f"| {row.id} | {row.level} | {row.what} | {row.state} | {row.proof} |" for row in found
        ]
    return "\n".join(parts) + "\n"


def write(file: Path = PAGE) -> None:
    """The page, over the one that is there."""
    file.write_text(render())


class Command(BaseCommand):
    """Writes the file."""

    help = "Write deploy/docs/asvs.md from asvs.csv."
    requires_system_checks: list[str] = []  # it needs no key, bucket or database

    def handle(self, *args: Any, **options: Any) -> None:
        """Overwrite it."""
        write()
        self.stdout.write(str(PAGE.relative_to(ROOT)))
