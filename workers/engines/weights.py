"""Weights are data: hashed, listed, and never a program.

Owns the manifest beside every set of weights. Refuses a folder that holds a file too many, a
file too few, a changed byte, a link, or any format that is code when it is opened.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from workers.engines.base import WeightsRefused

MANIFEST = "manifest.json"
# Opening one of these runs what its author wrote; a hash would only prove which program it is.
PROGRAMS = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".py"})


def digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _found(folder: Path) -> dict[str, Path]:
    """Every file below the folder by its relative name, refusing programs and links on sight."""
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise WeightsRefused(name, "is a link.")
        if path.is_dir():
            continue
        if path.suffix.lower() in PROGRAMS:
            raise WeightsRefused(name, "is a format that runs code when it is opened.")
        files[name] = path
    return files


def _promised(manifest: Path) -> dict[str, dict[str, Any]]:
    try:
        promised = json.loads(manifest.read_bytes())["files"]
        for name, entry in promised.items():
            place = PurePosixPath(name)
            if place.is_absolute() or ".." in place.parts or name == MANIFEST:
                raise WeightsRefused(name, "is not a place inside the folder.")
            if type(entry["bytes"]) is not int or not re.fullmatch("[0-9a-f]{64}", entry["sha256"]):
                raise WeightsRefused(name, "has a malformed entry in the manifest.")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsRefused(MANIFEST, "cannot be read.") from error
    return dict(promised)


def verify_weights(folder: Path) -> str:
    """The SHA-256 of the manifest, if the folder holds exactly what the manifest promises."""
    files = _found(folder)
    manifest = files.pop(MANIFEST, None)
    if manifest is None:
        raise WeightsRefused(MANIFEST, "is missing.")
    promised = _promised(manifest)
    for name in sorted(promised.keys() - files.keys()):
        raise WeightsRefused(name, "is missing.")
    for name in sorted(files.keys() - promised.keys()):
        raise WeightsRefused(name, "is not in the manifest.")
    for name, path in files.items():
        if path.stat().st_size != promised[name]["bytes"]:
            raise WeightsRefused(name, "has another length than the manifest says.")
        if digest(path) != promised[name]["sha256"]:
            raise WeightsRefused(name, "has another hash than the manifest says.")
    return digest(manifest)


def write_manifest(folder: Path) -> None:
    """List what lies in the folder; called once, by whoever makes the weights."""
    files = _found(folder)
    files.pop(MANIFEST, None)
    listed = {
        name: {"sha256": digest(path), "bytes": path.stat().st_size} for name, path in files.items()
    }
    (folder / MANIFEST).write_text(json.dumps({"files": listed}, indent=2, sort_keys=True) + "\n")
