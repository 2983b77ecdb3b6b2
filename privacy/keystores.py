"""Where each sort of keys lies: a folder or KMS, as the setting says, behind the same verbs."""

import os
from pathlib import Path

from django.conf import settings

from privacy import kms
from privacy.errors import KeyFileRefused
from privacy.keyfiles import KeyFolder, KeyStore

SORTS = ("root", "fleet", "evidence", "receipt", "grant")


def at(address: str | os.PathLike[str] | None, sort: str) -> KeyStore:
    """The keys at an address: a folder's path, or kms://… as privacy/kms.py reads it."""
    if address is None:
        return KeyFolder(None, sort)
    if str(address).startswith(f"{kms.SCHEME}:"):
        return kms.KmsKeys(str(address), sort)
    return KeyFolder(Path(address), sort)


def of(sort: str) -> KeyStore:
    """This process's keys of a sort; a role that must not hold them gets a store that says so."""
    return at(getattr(settings, f"{sort.upper()}_KEYS"), sort)


def move(source: KeyStore, target: KeyStore) -> list[str]:
    """Copy every key and read it back; what is there already is compared. Deletes nothing.

    Raises KeyFileRefused when the target holds another secret under the same label.
    """
    moved = source.labels()
    for label in moved:
        secret = source.read(label)
        if target.create(label, secret) != secret or target.read(label) != secret:
            raise KeyFileRefused(
                f"The {source.sort} key {label} is there already, with another secret. Choose an"
                " empty place to move to."
            )
    return moved
