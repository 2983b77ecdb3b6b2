"""The buckets: who gets in, what they keep, when they end what was left, and their clock."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages
from django.utils import timezone

from deploy.doctor.database import apart
from deploy.doctor.findings import Finding, error, named, note, warning
from privacy import bucket, keystores, restore
from privacy.errors import PrivacyError, StorageDown
from privacy.kms import KmsKeys

BY_SENTENCE: Final = {
    bucket.PUBLIC_POLICY: "bucket.policy",
    bucket.PUBLIC_ACL: "bucket.acl",
    bucket.PUBLIC_LISTING: "bucket.listing",
    bucket.VERSIONED: "bucket.versioning",
}


def look(now: datetime) -> Iterator[Finding]:
    """The bucket of bodies."""
    wrong, unseen = bucket.examine()
    for sentence in wrong:
        yield error(
            BY_SENTENCE[sentence], sentence, "See `manage.py bucket --check`, as an administrator."
        )
    for sentence in unseen:
        yield note(
            "bucket.unseen", sentence, "Run `manage.py bucket --check` with a login that may."
        )
    try:
        drift = bucket.drift()
    except PermissionError:
        yield note("bucket.unseen", bucket.UNSEEN.format("lifecycle rules"))
    else:
        if drift:
            # The embedded stack's one login may not set any, and needs no second net.
            say = warning if settings.PRODUCTION else note
            yield say(
                "bucket.lifecycle",
                f"The bucket's lifecycle rules {named(drift)} are not as retention.py says.",
                "Run `manage.py bucket --apply` with an administrator's credentials.",
            )


def ledger(now: datetime) -> Iterator[Finding]:
    """The bucket of the erasure ledger, and whether it asks for a replay."""
    names = [storages[alias].bucket.name for alias in ("sealed", "ledger")]  # type: ignore[attr-defined]
    if names[0] == names[1]:
        yield error(
            "ledger.shared",
            "Bodies and the erasure ledger share one bucket, so one restore undoes both.",
            "Give SITTER_LEDGER_BUCKET a bucket of its own.",
        )
    try:
        pending = restore.pending()
    except StorageDown:
        yield error(
            "ledger.away",
            "The bucket of the erasure ledger does not answer, so nobody can delete anything.",
            "Look at SITTER_LEDGER_BUCKET and its policy for this role.",
        )
        return
    if pending:
        yield error(
            "ledger.replay",
            "The database was restored and the erasure ledger is not replayed.",
            "Run upkeep, or `manage.py replay_ledger` (deploy/docs/restore.md).",
        )


def clock(now: datetime) -> Iterator[Finding]:
    """Signed requests are refused by a clock that is far from S3's."""
    client, name = _client()
    before = timezone.now()
    answer = client.head_bucket(Bucket=name)
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if said:
        yield from apart("bucket", "the bucket", before, parsedate_to_datetime(said))


def kept_keys(now: datetime) -> Iterator[Finding]:
    """Where keys lie under KMS: a bucket that keeps versions keeps keys that were destroyed."""
    client, bodies = _client()
    for sort in keystores.SORTS:
        store = keystores.of(sort)
        if not isinstance(store, KmsKeys):
            continue
        if store.place.bucket == bodies:
            yield error(
                "keys.bucket",
                f"The {sort} keys lie in the bucket of bodies.",
                "Move them to a bucket of their own (`manage.py move_keys`).",
            )
        if _keeps_versions(client, store.place.bucket):
            yield error(
                "keys.versions",
                f"The bucket of the {sort} keys keeps versions, so no key in it ever ends.",
                "Switch versioning off and delete what it has kept.",
            )
        try:
            store.labels()
        except PrivacyError as refusal:
            yield error(
                "keys.kms", str(refusal), "Look at this role's policy for KMS and the bucket."
            )


def _keeps_versions(client: Any, name: str) -> bool:
    try:
        return bool(client.get_bucket_versioning(Bucket=name).get("Status"))
    except (BotoCoreError, ClientError):
        return False  # who may not ask is told nothing; an administrator's run sees it


def _client() -> tuple[Any, str]:
    found = storages["sealed"].bucket  # type: ignore[attr-defined]
    return found.meta.client, found.name
