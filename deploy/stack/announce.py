"""Loaded into each Celery worker by `--include`: it tells the supervisor when work is taken.

Celery's own log line would do, if the log kept it; asking over the broker takes a second a try.
"""

import os
from pathlib import Path

from celery.signals import worker_ready

READY_FILE = "SITTER_READY_FILE"


@worker_ready.connect
def announce(**_: object) -> None:
    Path(os.environ[READY_FILE]).touch()
