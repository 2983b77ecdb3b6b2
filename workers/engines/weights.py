"""Weights are data: hashed, listed, and never a program.

Owns the manifest beside every set of weights. Refuses a folder that holds a file too many, a
file too few, a changed byte, a link, any format that it does not know to be mere data, and any
configuration that asks a library to fetch or run code.
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
# What a set of weights is made of: tensors, configurations, vocabularies, words for people.
DATA = frozenset({".safetensors", ".json", ".txt", ".model", ".md", ""})
# By these keys a configuration names a program that a library would fetch and run.
SUMMONS = frozenset({"auto_map", "custom_pipeline", "custom_pipelines", "trust_remote_code"})


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
        if path.suffix.lower() not in DATA:
            raise WeightsRefused(name, "is not a format that weights are kept in.")
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
        _refuse_programs_inside(name, path)
    return digest(manifest)


def _refuse_programs_inside(name: str, path: Path) -> None:
    """A name proves nothing: tensors must begin like tensors, configurations must only describe."""
    if path.suffix.lower() == ".safetensors":
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > path.stat().st_size - 8 or stream.read(1) != b"{":
                raise WeightsRefused(name, "is not a file of tensors.")
    elif path.suffix.lower() == ".json":
        try:
            said = json.loads(path.read_bytes())
        except ValueError as error:
            raise WeightsRefused(name, "cannot be read.") from error
        if _summons(said):
            raise WeightsRefused(name, "asks for a program of its author's.")


def _summons(said: Any) -> bool:
    """Whether a configuration names code: by its keys, or by a class out of a file beside it."""
    if isinstance(said, list):
        return any(map(_summons, said))
    if not isinstance(said, dict):
        return False
    # diffusers takes a list here for [file, class], and imports that file.
    foreign = isinstance(said.get("_class_name"), list)
    return foreign or bool(SUMMONS & said.keys()) or any(map(_summons, said.values()))


def write_manifest(folder: Path) -> None:
    """List what lies in the folder; called once, by whoever makes the weights."""
    files = _found(folder)
    files.pop(MANIFEST, None)
    listed = {
        name: {"sha256": digest(path), "bytes": path.stat().st_size} for name, path in files.items()
    }
    (folder / MANIFEST).write_text(json.dumps({"files": listed}, indent=2, sort_keys=True) + "\n")
