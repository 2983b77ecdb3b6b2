"""Brings published weights into a local folder, on the operator's machine and nowhere else.

Owns the download, the conversion of pickled archives to tensors, and the manifest that workers
check. Refuses what is not pinned unless it is told to trust what comes, plain HTTP from another
machine, names that leave the folder, and to leave half a folder under a whole one's name.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from deploy.models.archive import NoTensors, convert
from deploy.models.registry import Model
from workers.engines.base import WeightsRefused
from workers.engines.weights import DATA, MANIFEST, digest, verify_weights, write_manifest

CHUNK: Final = 1 << 20
TIMEOUT: Final = 60.0
HERE: Final = ("127.0.0.1", "localhost", "::1")
# The folder while it fills; workers look for names, and this is none.
FILLING: Final = ".{}.part"
TENSORS: Final = "model.safetensors"

Say = Callable[[str], None]


class NotFetched(Exception):
    """Something did not come, or not as it was pinned."""


def pull(model: Model, hub: str, weights: Path, *, trust: bool, say: Say) -> dict[str, str]:
    """Fetch into weights/<name>, and return the hashes of what lies there.

    Goes on with what an earlier try has fetched. Raises NotFetched, WeightsRefused.
    """
    target, filling = weights / model.name, weights / FILLING.format(model.name)
    if target.exists():
        raise NotFetched(f"{target} is there already; verify it, or move it away.")
    if not model.pinned and not trust:
        raise NotFetched(
            f"No hashes are pinned for {model.name}. --pin trusts what comes now and writes its"
            " hashes down."
        )
    filling.mkdir(parents=True, exist_ok=True)
    if model.archive:
        archive = filling / PurePosixPath(urlsplit(model.archive).path).name
        _fetch(model.archive, archive, say)
        _compare(archive, archive.name, model.sha256)
        try:
            convert(archive, filling / TENSORS)
        except NoTensors as error:
            raise NotFetched(f"{archive.name} does not hold tensors alone.") from error
        finally:
            archive.unlink()
    else:
        _fetch_all(model, hub.rstrip("/"), filling, say)
    files = _state(filling, model)
    filling.rename(target)
    return files


def _fetch_all(model: Model, hub: str, filling: Path, say: Say) -> None:
    pinned = dict(model.files)
    names = sorted(pinned) if pinned else _listed(model, hub)
    place = f"{hub}/{model.repository}/resolve/{model.revision}"
    for name in names:
        _fetch(f"{place}/{quote(name)}", filling / name, say)
        if pinned:
            _compare(filling / name, name, pinned[name])


def _state(filling: Path, model: Model) -> dict[str, str]:
    """Write the manifest, licence and all, and try it as a worker will."""
    write_manifest(filling)
    manifest = json.loads((filling / MANIFEST).read_text())
    manifest |= {"licence": model.licence, "source": model.source, "revision": model.revision}
    (filling / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    verify_weights(filling)
    return {name: entry["sha256"] for name, entry in manifest["files"].items()}


def verify(model: Model, weights: Path) -> None:
    """The folder is what its manifest says, and that is what the registry says.

    Raises WeightsRefused.
    """
    folder = weights / model.name
    verify_weights(folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    for key in ("licence", "source", "revision"):
        if manifest.get(key) != getattr(model, key):
            raise WeightsRefused(MANIFEST, f"states another {key} than the registry.")
    there = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    if model.files and there != dict(model.files):
        strange = sorted(set(there.items()) ^ set(model.files))[0][0]
        raise WeightsRefused(strange, "has another hash than the registry pins.")


def _listed(model: Model, hub: str) -> list[str]:
    """The files of the repository at its revision that an engine reads."""
    place = f"{hub}/api/models/{model.repository}/revision/{model.revision}"
    try:
        with _open(place) as answer:
            said: Any = json.loads(answer.read())
        names = [each["rfilename"] for each in said["siblings"]]
        revision = said["sha"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotFetched(f"{place} is no list of files.") from error
    if revision != model.revision:
        raise NotFetched(f"{place} answers for another revision.")
    wanted = sorted(name for name in names if model.wants(name))
    for name in wanted:
        way = PurePosixPath(name)
        if way.is_absolute() or ".." in way.parts or way.suffix not in DATA:
            raise NotFetched(f"{name!r} is not a file that weights are made of.")
    if not wanted:
        raise NotFetched(f"{place} lists nothing that this engine reads.")
    return wanted


def _fetch(address: str, file: Path, say: Say) -> None:
    """Fetch one file, from where an earlier try has stopped."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    there = part.stat().st_size if part.exists() else 0
    try:
        with _open(address, there) as answer, part.open("ab") as out:
            if there and answer.status != 206:
                # It does not know how to go on.
                out.truncate(0)
                there = 0
            say(f"{file.name}: {there + int(answer.headers.get('Content-Length') or 0):,} bytes")
            shutil.copyfileobj(answer, out, CHUNK)
            expected = answer.headers.get("Content-Length")
            if expected is not None and out.tell() != there + int(expected):
                raise NotFetched(f"{address} broke off.")
    except (OSError, HTTPException) as error:
        raise NotFetched(f"{address} broke off.") from error
    part.rename(file)


def _open(address: str, start: int = 0) -> HTTPResponse:
    """Raises NotFetched for what is neither HTTPS nor this machine, and for any refusal."""
    _trusted(address)
    headers = {"User-Agent": "sitter-models"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        # The scheme was looked at above, and is again wherever the answer sends us.
        request = Request(address, headers=headers)  # noqa: S310
        answer: HTTPResponse = build_opener(Careful).open(request, timeout=TIMEOUT)
    except URLError as error:
        raise NotFetched(f"{address}: {error.reason}") from error
    return answer


class Careful(HTTPRedirectHandler):
    """Follows as far as it would have gone by itself."""

    def redirect_request(self, *args: Any) -> Request | None:
        """The last of six is where to."""
        _trusted(args[5])
        return super().redirect_request(*args)


def _trusted(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in HERE):
        raise NotFetched("Weights come by HTTPS, or from this machine.")


def _compare(file: Path, name: str, pinned: str) -> None:
    if digest(file) != pinned:
        file.unlink()
        raise NotFetched(f"{name} came with another hash than is pinned, and was thrown away.")
