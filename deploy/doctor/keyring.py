"""Keys: there, whole, private, held by the right role, turned in time and ended in time."""

import os
import stat
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from django.conf import settings

from deploy.doctor.findings import Finding, error, named, warning
from deploy.stack.certificates import CHAIN, KEY
from privacy import epochs, keys, keystores, retention
from privacy.errors import PrivacyError
from privacy.models import EvidenceKey, FleetKey, ReceiptKey, RootEpoch

OTHERS: Final = 0o077
EXPIRES_SOON: Final = timedelta(days=30)
FOLDERS: Final = (*(f"{sort.upper()}_KEYS" for sort in keystores.SORTS), "C2PA_KEYS")


# --- What lies on this machine ------------------------------------------------------------------


def folders(now: datetime) -> Iterator[Finding]:
    """Whether each key folder is this role's alone."""
    held = [Path(path) for path in map(_folder, FOLDERS) if path]
    for folder in held:
        if not folder.is_dir():
            yield error(
                "keys.folder",
                f"The key folder {folder.name} is missing.",
                "Restore it, or mount it; a role that makes its keys makes the folder too.",
            )
            continue
        yield from _private(folder)
    if settings.PRODUCTION:
        yield from _neighbours(held)


def _folder(name: str) -> str | None:
    given = getattr(settings, name)
    return None if not given or str(given).startswith("kms:") else str(given)


def _private(folder: Path) -> Iterator[Finding]:
    open_ = [path.name for path in _all(folder) if stat.S_IMODE(path.stat().st_mode) & OTHERS]
    if open_:
        yield error(
            "keys.mode",
            f"In the key folder {folder.name} others than its owner may touch {named(open_)}.",
            "Give folders mode 700 and files 600, and take it that what was readable was read.",
        )
    strangers = [path.name for path in _all(folder) if path.stat().st_uid != os.geteuid()]
    if strangers:
        yield error(
            "keys.owner",
            f"In the key folder {folder.name} somebody else owns {named(strangers)}.",
            "Give them to the user of this role, whom no other role shares.",
        )


def _all(folder: Path) -> Iterator[Path]:
    yield folder
    yield from (path for path in folder.iterdir() if not path.name.startswith("."))


def _neighbours(held: list[Path]) -> Iterator[Finding]:
    """Key folders beside ours that this process could read although it was not given them."""
    beside = {path for folder in held for path in _siblings(folder)} - set(held)
    readable = [path.name for path in beside if os.access(path, os.R_OK | os.X_OK)]
    if readable:
        yield error(
            "keys.crossed",
            f"This role can read the key folders {named(readable)}, which are another role's.",
            "Run each role under a user of its own, or mount only its own folders.",
        )


def _siblings(folder: Path) -> Iterator[Path]:
    try:
        yield from (path for path in folder.parent.iterdir() if path.is_dir() and _holds_keys(path))
    except PermissionError:
        return


def _holds_keys(folder: Path) -> bool:
    try:
        return any(folder.glob("*.key")) or (folder / KEY).exists()
    except PermissionError:
        return False


# --- What the database knows of them ------------------------------------------------------------


def held(now: datetime) -> Iterator[Finding]:
    """The look that every process takes before its first request or task."""
    try:
        keys.check_held(now)
    except PrivacyError as refusal:
        yield error(
            "keys.held",
            str(refusal),
            "Put back the right key, or give it up for good (deploy/docs/keys.md).",
        )


def roots(now: datetime) -> Iterator[Finding]:
    """A root is in turn, and none has outlived what receipts promise."""
    if not RootEpoch.objects.filter(destroyed_at=None, retired_at=None).exists():
        yield error(
            "keys.no_root",
            "No portrait root is in turn, so nobody can sign up.",
            "Start the keeper.",
        )
    if late := epochs.late(now):
        yield error(
            "keys.root_late",
            f"The portrait roots {named(late)} are older than receipts promise.",
            "Start the keeper and beat, or run `manage.py rotate_root` as the keeper.",
        )


def fleet(now: datetime) -> Iterator[Finding]:
    """Public halves of today and of the two days to come; no seed past its end."""
    today = now.date()
    wanted = {today + timedelta(days=ahead) for ahead in range(keys.PUBLISHED_AHEAD.days + 1)}
    there = {
        date.fromisoformat(label) for label in FleetKey.objects.values_list("label", flat=True)
    }
    if missing := sorted(wanted - there):
        say = error if today in missing else warning
        yield say(
            "keys.fleet_ahead",
            f"No fleet key is published for {named(map(str, missing))}, so uploads stop then.",
            "Start the intake and beat; look into the intake's log.",
        )
    store = keystores.of("fleet")
    if str(settings.ROLE) == "intake" and store.held:
        # A day's grace, because the intake turns them hourly.
        oldest = today - retention.term(retention.Term.FLEET_SEED) - timedelta(days=1)
        if old := [label for label in store.labels() if label <= oldest.isoformat()]:
            yield error(
                "keys.fleet_old",
                f"The fleet seeds {named(old)} should have been destroyed.",
                "Start beat, which has the intake destroy them.",
            )


def evidence(now: datetime) -> Iterator[Finding]:
    """This year's key for consent evidence."""
    if not EvidenceKey.objects.filter(label=str(now.year)).exists():
        yield error(
            "keys.no_evidence",
            "No evidence key is published for this year, so nobody can sign a consent.",
            "Start the keeper.",
        )


def receipts(now: datetime) -> Iterator[Finding]:
    """This year's key for receipts."""
    if not ReceiptKey.objects.filter(label=str(now.year)).exists():
        yield warning(
            "keys.no_receipt",
            "No receipt key is published for this year, so erasures get no receipt.",
            "Start upkeep.",
        )


# --- The certificate of content credentials ------------------------------------------------------


def credentials(now: datetime) -> Iterator[Finding]:
    """Whether the gpu worker's certificate is there and valid for a while yet."""
    folder = settings.C2PA_KEYS
    if folder is None or not settings.C2PA:
        return
    needed = [CHAIN] if settings.C2PA_KMS else [CHAIN, KEY]
    if missing := [name for name in needed if not (Path(folder) / name).is_file()]:
        yield error(
            "keys.c2pa",
            f"The folder of content credentials lacks {named(missing)}.",
            "Put the certificate there, or say SITTER_C2PA=off.",
        )
        return
    try:
        chain = x509.load_pem_x509_certificates((Path(folder) / CHAIN).read_bytes())
    except ValueError:
        yield error(
            "keys.c2pa", f"{CHAIN} is no chain of certificates.", "Put the right one there."
        )
        return
    ends = min(certificate.not_valid_after_utc for certificate in chain)
    if ends < now + EXPIRES_SOON:
        say = error if ends < now else warning
        yield say(
            "keys.c2pa_expiry",
            f"The certificate of content credentials ends on {ends.date()}.",
            "Have it renewed; portraits signed after its end verify nowhere.",
        )
