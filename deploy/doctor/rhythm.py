"""What runs by the clock: whether beat is heard, and whether the daily proof came and held."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from deploy.doctor.findings import Finding, error, named, warning
from privacy import periods
from privacy.models import TransparencyReport

PROOF_LATE: Final = timedelta(days=2)


def beat(now: datetime) -> Iterator[Finding]:
    """By the database's clock, like everything that is periodic."""
    silent = periods.silent_for()
    if silent is None:
        yield warning(
            "beat.never",
            "No periodic task has ever run, so nothing ends by its deadline.",
            "Start beat and upkeep.",
        )
    elif silent > periods.SILENT_AFTER:
        yield error(
            "beat.silent",
            f"No periodic task has run for {silent.total_seconds():.0f} s.",
            "Start beat and upkeep; each is silent without the other.",
        )


def proof(now: datetime) -> Iterator[Finding]:
    """The newest report, which everybody can read. A new installation has none yet."""
    newest = TransparencyReport.objects.order_by("-day").first()
    if newest is None:
        return
    if newest.at < now - PROOF_LATE:
        yield error(
            "proof.late",
            f"The last proof is of {newest.day}.",
            "Run `manage.py prove` as upkeep, and look why it does not by itself.",
        )
    failed = [check["name"] for check in newest.statement["checks"] if not check["holds"]]
    if failed:
        yield error(
            "proof.failed",
            f"The last proof failed in {named(failed)}.",
            "Run `manage.py prove` as upkeep; each line says what does not hold.",
        )
