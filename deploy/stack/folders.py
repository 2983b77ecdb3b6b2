"""Where the stack keeps its data, and the two ways of writing there: for the owner's eyes only."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.env import ROOT
from deploy.stack.errors import StackError

DEFAULT = ROOT / "var" / "stack"
KEYS = ("root", "fleet", "evidence", "receipt", "c2pa", "grant")


@dataclass(frozen=True)
class Folders:
    """The layout of one data folder; a name here is a path and nothing more."""

    data: Path

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def mail(self) -> Path:
        return self.data / "mail"

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def beat(self) -> Path:
        return self.data / "beat"

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def s3(self) -> Path:
        return self.data / "s3"

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def state(self) -> Path:
        return self.data / "state.json"

    @property
    def credentials(self) -> Path:
        return self.data / "credentials.json"

    def keys(self, name: str) -> Path:
        return self.data / "keys" / name

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def make(self) -> None:
        # A folder that the user made keeps its own permissions; what lies in it is private anyway.
        if not self.data.exists():
            self.data.mkdir(mode=0o700, parents=True)
        private = [self.logs, self.mail, self.run, self.beat, self.postgres, self.valkey, self.s3]
        private += [self.data / "keys", *(self.keys(name) for name in KEYS)]
        for folder in private:
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)

    def remove(self) -> None:
        """Delete the data of an earlier stack; any other folder is refused."""
        if not self.data.exists():
            return
        if any(self.data.iterdir()) and not self.lock.exists():
            raise StackError(f"{self.data} holds something else than a stack; it is not deleted.")
        shutil.rmtree(self.data)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; it is never readable by others, not even for a moment."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
