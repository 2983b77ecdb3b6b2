"""What stays is there before a line is drawn beneath it, and behind the line nothing stays."""

import gc
import subprocess
import sys
from weakref import WeakKeyDictionary

import pytest
from django.urls import clear_url_caches, get_resolver

from deploy import start
from deploy.env import ROOT
from privacy import storage


def test_addresses_and_the_buckets_client_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_clients", WeakKeyDictionary())
    clear_url_caches()
    assert "url_patterns" not in vars(get_resolver())
    start.warm()
    assert "url_patterns" in vars(get_resolver())
    assert storage._bucket_storage() in storage._clients


# As Celery's own program does it for whatever role it is told to be.
STARTED = """
import gc
from workers.app import app
held = gc.isenabled()
app.loader.import_default_modules()
print(held, gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def test_the_collector_looks_at_nothing_of_the_start_and_at_all_that_comes_behind_it() -> None:
    assert gc.isenabled()
    command = [sys.executable, "-c", STARTED]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", "True", "True"]
