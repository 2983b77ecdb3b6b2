"""What the first requests would load is there before `memory.settle` draws its line."""

from weakref import WeakKeyDictionary

import pytest
from django.urls import clear_url_caches, get_resolver

from deploy import start
from privacy import storage


def test_addresses_and_the_buckets_client_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_clients", WeakKeyDictionary())
    clear_url_caches()
    assert "url_patterns" not in vars(get_resolver())
    start.warm()
    assert "url_patterns" in vars(get_resolver())
    assert storage._bucket_storage() in storage._clients
