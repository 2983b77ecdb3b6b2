"""The machine: room on its disks."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

from deploy.doctor.findings import Finding, error, named
from privacy import keystores

LEAST_FREE: Final = 2 * 10**9
LEAST_SHARE: Final = 0.05


def disk(now: datetime) -> Iterator[Finding]:
    """Where this role writes: its temporary folder, its keys, its mailbox."""
    places = [getattr(settings, f"{sort.upper()}_KEYS") for sort in keystores.SORTS]
    kept = [place for place in places if place and not str(place).startswith("kms:")]
    folders = [tempfile.gettempdir(), *kept, settings.EMAIL_FILE_PATH, settings.COMPILED]
    full = set()
    for folder in {Path(place) for place in folders if place and Path(place).exists()}:
        usage = shutil.disk_usage(folder)
        if usage.free < min(LEAST_FREE, LEAST_SHARE * usage.total):
            full.add(folder.name)
    if full:
        yield error(
            "machine.disk",
            f"The disk of {named(full)} is full but for a rest.",
            "Make room; a key that cannot be written stops what needs it.",
        )
