"""How findings are printed for people."""

from collections.abc import Iterator, Sequence
from typing import Final

from deploy.doctor.findings import STATUS, Finding, Severity

WORST_FIRST: Final = sorted(Severity, key=STATUS.__getitem__, reverse=True)


def lines(found: Sequence[Finding]) -> Iterator[str]:
    """The worst first: what is wrong, and below it what to do."""
    for severity in WORST_FIRST:
        for finding in found:
            if finding.severity is severity:
                yield f"{severity:8} {finding.name:28} {finding.wrong}"
                if severity is not Severity.NOTE:
                    yield f"{'':8} {'':28} -> {finding.do}"
    counts = [sum(each.severity is severity for each in found) for severity in WORST_FIRST]
    yield "{} errors, {} warnings, {} notes.".format(*counts)
