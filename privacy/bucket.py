"""The bucket's own settings: lifecycle rules as a second net, and what a bucket may not be.

The sweeps end every object in time. The rules, computed from retention.py, end what would be left
if they never ran again: S3 counts whole days from an object's birth, so each kind ends within two
days behind its cap. Refuses nothing by itself; `require` is what a start calls.
"""

import json
import logging
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core import checks
from django.core.files.storage import storages

from privacy.errors import BucketRefused, StorageDown
from privacy.retention import DEADLINES

log = logging.getLogger(__name__)

# S3 works through its rules once a day, and rounds up to a midnight.
MARGIN: Final = timedelta(days=1)
EVERYBODY: Final = ("AllUsers", "AuthenticatedUsers")
# Answers that say "none is set"; and those that say "this server has no such thing".
UNSET: Final = ("NoSuchBucketPolicy", "NoSuchLifecycleConfiguration")
UNKNOWN: Final = ("NotImplemented", "MethodNotAllowed")
FORBIDDEN: Final = 403

PUBLIC_POLICY: Final = 'The bucket\'s policy lets everybody in. Remove its statements for "*".'
PUBLIC_ACL: Final = "The bucket's ACL lets everybody in. Set it to private."
PUBLIC_LISTING: Final = "The bucket answers a request without any signature. Close it."
VERSIONED: Final = (
    "The bucket keeps versions, and no rule purges them, so nothing would ever leave it. Run "
    "`manage.py bucket --apply`, or switch versioning off."
)
UNSEEN: Final = "This login may not read the bucket's {0}, so nobody has checked it."


def rules() -> list[dict[str, Any]]:
    """The lifecycle rules as S3 takes them: one for each kind, and one for what nobody finished."""
    kinds = [
        {
            "ID": kind.name.lower(),
            "Filter": {"Prefix": f"{kind.name.lower()}/"},
            "Status": "Enabled",
            "Expiration": {"Days": math.ceil((rule.cap + MARGIN) / timedelta(days=1))},
        }
        for kind, rule in DEADLINES.items()
    ]
    leftovers = {
        "ID": "leftovers",
        "Filter": {"Prefix": ""},
        "Status": "Enabled",
        "Expiration": {"ExpiredObjectDeleteMarker": True},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    return [*kinds, leftovers]


def apply() -> None:
    """Set the rules, by the credentials of whoever runs this. Raises StorageDown."""
    client, name = _client()
    _ask(
        lambda: client.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration={"Rules": rules()}
        )
    )


def drift() -> list[str]:
    """Ids of rules that are missing, other than computed, or not ours. Raises StorageDown."""
    wanted = {rule["ID"]: rule for rule in rules()}
    found = {rule.get("ID", ""): rule for rule in _lifecycle()}
    return sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )


def versioned() -> bool:
    """Whether a deleted object leaves a version behind. Who may not ask takes it that it does."""
    client, name = _client()
    try:
        answer = _ask(lambda: client.get_bucket_versioning(Bucket=name))
    except PermissionError:
        return True
    return bool(answer.get("Status"))


def faults() -> list[str]:
    """What is wrong with the bucket, one sentence each. Raises StorageDown."""
    return examine()[0]


def examine() -> tuple[list[str], list[str]]:
    """(what is wrong, what this login could not look at). Raises StorageDown."""
    wrong, unseen = [], []
    for what, sentence, look in (
        ("policy", PUBLIC_POLICY, _policy_is_public),
        ("ACL", PUBLIC_ACL, _acl_is_public),
        ("listing", PUBLIC_LISTING, _lists_for_strangers),
        ("versions", VERSIONED, _keeps_versions),
    ):
        try:
            if look():
                wrong.append(sentence)
        except PermissionError:
            unseen.append(UNSEEN.format(what))
    return wrong, unseen


def require() -> None:
    """At the start of a role that deletes: refuse a faulty bucket in production, else warn."""
    wrong, unseen = examine()
    for sentence in (*wrong, *unseen):
        log.warning(sentence)
    if wrong and settings.PRODUCTION:
        raise BucketRefused(" ".join(wrong))


def check(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Django's system check: `manage.py check --deploy --tag bucket`, for it asks the bucket."""
    try:
        wrong, unseen = examine()
    except StorageDown as error:
        return [checks.Error(str(error), id="privacy.E011")]
    return [
        *(checks.Error(sentence, id="privacy.E010") for sentence in wrong),
        *(checks.Warning(sentence, id="privacy.W010") for sentence in unseen),
    ]


# --- One look each ------------------------------------------------------------------------------


def _policy_is_public() -> bool:
    client, name = _client()
    answer = _ask(lambda: client.get_bucket_policy(Bucket=name))
    policy = json.loads(answer.get("Policy") or "{}")
    return any(_names_everybody(statement) for statement in _listed(policy.get("Statement", [])))


def _names_everybody(statement: dict[str, Any]) -> bool:
    """An Allow for "*", however it is written. One with a condition may be narrow: not ours to
    judge, so it counts as public too."""
    principal = statement.get("Principal")
    names = principal.values() if isinstance(principal, dict) else [principal]
    everybody = any("*" in _listed(name) for name in names)
    return statement.get("Effect") == "Allow" and everybody


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _acl_is_public() -> bool:
    client, name = _client()
    answer = _ask(lambda: client.get_bucket_acl(Bucket=name))
    grantees = [grant["Grantee"].get("URI", "") for grant in answer.get("Grants", [])]
    return any(uri.endswith(EVERYBODY) for uri in grantees)


def _lists_for_strangers() -> bool:
    """The plain truth, whatever the settings say: ask like anybody."""
    client, name = _client()
    anonymous: Any = boto3.client(
        "s3",
        endpoint_url=client.meta.endpoint_url,
        region_name=client.meta.region_name,
        # Like our own client's, but for the signature.
        config=client.meta.config.merge(Config(signature_version=UNSIGNED)),
    )
    try:
        _ask(lambda: anonymous.list_objects_v2(Bucket=name, MaxKeys=1))
    except PermissionError:
        return False
    return True


def _keeps_versions() -> bool:
    client, name = _client()
    answer = _ask(lambda: client.get_bucket_versioning(Bucket=name))
    return bool(answer.get("Status")) and not any(_purges(rule) for rule in _lifecycle())


def _purges(rule: dict[str, Any]) -> bool:
    whole = not (rule.get("Filter") or {}).get("Prefix") and not rule.get("Prefix")
    days = rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 0)
    return whole and rule.get("Status") == "Enabled" and 0 < days <= 1


def _lifecycle() -> list[dict[str, Any]]:
    client, name = _client()
    answer = _ask(lambda: client.get_bucket_lifecycle_configuration(Bucket=name))
    found: list[dict[str, Any]] = answer.get("Rules", [])
    return found


# --- Asking -------------------------------------------------------------------------------------


def _client() -> tuple[Any, str]:
    found = storages["sealed"].bucket  # type: ignore[attr-defined]
    return found.meta.client, found.name


def _ask(call: Callable[[], Any]) -> dict[str, Any]:
    """The answer, empty where nothing is set. Raises PermissionError or StorageDown."""
    try:
        answer: dict[str, Any] = call()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in UNSET or code in UNKNOWN:
            return {}
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == FORBIDDEN:
            raise PermissionError(code) from error
        raise StorageDown from error
    except BotoCoreError as error:
        raise StorageDown from error
    return answer
