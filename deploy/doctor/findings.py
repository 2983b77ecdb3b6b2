"""What the doctor says: a stable name, how bad it is, what is wrong, and what to do."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How soon somebody must act."""

    NOTE = "note"  # nothing is wrong; it says what is there, or what was not looked at
    WARNING = "warning"  # it works, and will not for ever
    ERROR = "error"  # a promise is broken, or something does not work


# What a shell, a pipeline or a probe reads.
STATUS: Final = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


@dataclass(frozen=True)
class Finding:
    """One sentence on what is wrong, one on what to do. Neither holds a value of a setting."""

    name: str
    severity: Severity
    wrong: str
    do: str

    def as_json(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class Look:
    """One thing to look at: the services that it asks, and the tables that it reads."""

    name: str
    see: Callable[[datetime], Iterable[Finding]]
    asks: frozenset[str] = field(default_factory=frozenset)
    reads: tuple[str, ...] = ()
    roles: frozenset[str] = field(default_factory=frozenset)


def error(name: str, wrong: str, do: str) -> Finding:
    """Something does not work, or a promise is broken."""
    return Finding(name, Severity.ERROR, wrong, do)


def warning(name: str, wrong: str, do: str) -> Finding:
    """It works for now."""
    return Finding(name, Severity.WARNING, wrong, do)


def note(name: str, wrong: str, do: str = "Nothing needs to be done.") -> Finding:
    """Nothing is wrong."""
    return Finding(name, Severity.NOTE, wrong, do)


def named(names: Iterable[str], most: int = 4) -> str:
    """A few names and how many more there are: a sentence stays one."""
    listed = sorted(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def worst(findings: Iterable[Finding]) -> int:
    """The exit status: 0 healthy, 1 with warnings, 2 with errors."""
    return max((STATUS[finding.severity] for finding in findings), default=0)


def refused(sentences: Iterable[str]) -> Iterator[Finding]:
    """A process of this role would not even start."""
    for sentence in sentences:
        yield error("start.refused", sentence, "Mend that setting; no process starts before.")
