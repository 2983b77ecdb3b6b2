"""Which published weights belong to which engine: registry.json, and the pins written into it.

Owns revisions, licences and hashes. Refuses an entry that names no revision, and a hash that was
pinned to become another one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("registry.json")
HASH: Final = re.compile("[0-9a-f]{64}")


class Unlisted(Exception):
    """The registry does not say enough to fetch or judge these weights."""


@dataclass(frozen=True)
class Model:
    """One engine's weights: a repository at a revision, or one archive to be converted."""

    name: str
    revision: str
    licence: str
    repository: str = ""
    take: tuple[str, ...] = ()
    archive: str = ""
    sha256: str = ""
    # What lies in the folder afterwards, once somebody has pinned it.
    files: tuple[tuple[str, str], ...] = ()

    @property
    def source(self) -> str:
        return self.repository or self.archive

    @property
    def pinned(self) -> bool:
        """Whether it is known beforehand, byte for byte, what is fetched."""
        return bool(self.sha256 if self.archive else self.files)

    def wants(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.take)


class Registry:
    """The file, read and rewritten whole."""

    def __init__(self, file: Path = FILE) -> None:
        self._file = file
        self._said: dict[str, Any] = json.loads(file.read_text())
        self.hub: str = self._said["hub"]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._said["models"])

    def model(self, name: str) -> Model:
        """Raises Unlisted."""
        said = self._said["models"].get(name)
        if said is None:
            raise Unlisted(f"The registry knows {', '.join(self.names)}, and no {name}.")
        model = Model(
            name=name,
            revision=said.get("revision", ""),
            licence=said.get("licence", ""),
            repository=said.get("repository", ""),
            take=tuple(said.get("take", ())),
            archive=said.get("archive", ""),
            sha256=said.get("sha256", ""),
            files=tuple(sorted(said.get("files", {}).items())),
        )
        if not model.revision or not model.licence or not model.source:
            raise Unlisted(f"The registry states no source, revision or licence of {name}.")
        if not all(HASH.fullmatch(each) for each in (*dict(model.files).values(),)):
            raise Unlisted(f"The registry holds a hash of {name} that is none.")
        return model

    def pin(self, name: str, files: dict[str, str]) -> None:
        """Write down what lies there now. Raises Unlisted where something else was pinned."""
        known = dict(self.model(name).files)
        if known and known != files:
            raise Unlisted(f"Other hashes are pinned for {name}; take them out first.")
        self._said["models"][name]["files"] = dict(sorted(files.items()))
        self._file.write_text(json.dumps(self._said, indent=2) + "\n")
