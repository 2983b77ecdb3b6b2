"""Folders of private keys: one file a key, 32 bytes, readable by its role alone.

Refuses, by name, a file that is missing, of another length, or readable by anybody else.
"""

import os
import stat
from pathlib import Path
from typing import Protocol

from privacy.crypto import SEED_BYTES
from privacy.errors import KeyFileRefused, KeyNotHeld


class KeyStore(Protocol):
    """One role's keys of one sort, wherever they lie: here a folder, in privacy/kms.py AWS."""

    sort: str

    @property
    def held(self) -> bool:
        """Whether this process was given these keys at all."""
        ...

    def labels(self) -> list[str]:
        """Every key that lies here, in the order of its label."""
        ...

    def has(self, label: str) -> bool:
        """Whether this key lies here."""
        ...

    def read(self, label: str) -> bytes:
        """The 32 secret bytes."""
        ...

    def create(self, label: str, secret: bytes) -> bytes:
        """Keep a new key, or return the one that somebody else kept first."""
        ...

    def remove(self, label: str) -> None:
        """Destroy a key; being gone already is fine."""
        ...


class KeyFolder:
    """One role's keys of one sort. `path` is None in a role that must not hold them."""

    def __init__(self, path: Path | None, sort: str) -> None:
        self.path = path
        self.sort = sort

    @property
    def held(self) -> bool:
        """Whether this process was given the folder."""
        return self.path is not None

    def labels(self) -> list[str]:
        """Every key that lies here, in the order of its label; none where no folder is yet."""
        return sorted(file.stem for file in self._folder().glob("*.key"))

    def has(self, label: str) -> bool:
        """Whether this key lies here."""
        return self._file(label).exists()

    def read(self, label: str) -> bytes:
        """The 32 secret bytes."""
        file = self._file(label)
        try:
            with file.open("rb") as handle:
                mode = stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
                secret = handle.read(SEED_BYTES + 1)
        except FileNotFoundError as error:
            raise KeyFileRefused(f"The {self.sort} key {file.name} is missing.") from error
        if mode & 0o077:
            raise KeyFileRefused(
                f"The {self.sort} key {file.name} is readable by others ({mode:o}); chmod 600."
            )
        if len(secret) != SEED_BYTES:
            raise KeyFileRefused(f"The {self.sort} key {file.name} has not {SEED_BYTES} bytes.")
        return secret

    def create(self, label: str, secret: bytes) -> bytes:
        """Write a new key, or return the one that somebody else wrote first."""
        folder = self._folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{label}.{os.getpid()}.{os.urandom(4).hex()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(secret)
            handle.flush()
            os.fsync(handle.fileno())
        try:
            # A hard link appears whole or not at all, and fails if the name is taken.
            os.link(draft, self._file(label))
        except FileExistsError:
            return self.read(label)
        finally:
            draft.unlink()
        self._settle(folder)
        return secret

    def remove(self, label: str) -> None:
        """Destroy a key; being gone already is fine."""
        self._file(label).unlink(missing_ok=True)
        self._settle(self._folder())

    @staticmethod
    def _settle(folder: Path) -> None:
        """A name that only the page cache knows would be lost, or come back, with the power."""
        if folder.is_dir():
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _folder(self) -> Path:
        if self.path is None:
            raise KeyNotHeld(f"This process holds no {self.sort} keys.")
        return self.path

    def _file(self, label: str) -> Path:
        return self._folder() / f"{label}.key"
