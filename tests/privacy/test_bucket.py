"""The bucket's own settings: rules computed from the law, and the two things it may not be."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.checks import Tags, registry, run_checks
from django.core.management import call_command
from django.core.management.base import CommandError

from privacy import bucket
from privacy.errors import BucketRefused, StorageDown
from privacy.retention import DEADLINES, Kind
from tests.conftest import s3_client
from tests.privacy.alone import alone
from tests.privacy.buckets import fresh_bucket

DAY = timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with alone("sitter_bucket"):
        yield


@pytest.fixture(autouse=True)
def name() -> Iterator[str]:
    """A bucket as it comes: private, without versions, without rules."""
    ours = bucket._client()[1]
    fresh_bucket(ours)
    yield ours
    fresh_bucket(ours)


def keep_versions(ours: str) -> None:
    s3_client().put_bucket_versioning(Bucket=ours, VersioningConfiguration={"Status": "Enabled"})


def let_in(ours: str, principal: Any, effect: str = "Allow") -> None:
    statement = {
        "Effect": effect,
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{ours}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3_client().put_bucket_policy(Bucket=ours, Policy=policy)


# --- Rules --------------------------------------------------------------------------------------


def test_each_kind_has_a_rule_that_ends_it_behind_its_cap_and_within_two_days() -> None:
    rules = {rule["ID"]: rule for rule in bucket.rules()}
    assert set(rules) == {kind.name.lower() for kind in Kind} | {"leftovers"}
    for kind, law in DEADLINES.items():
        rule = rules[kind.name.lower()]
        assert rule["Filter"] == {"Prefix": f"{kind.name.lower()}/"}
        # A sweep always comes first; a rule that ended a living portrait would be a loss.
        assert law.cap + DAY <= rule["Expiration"]["Days"] * DAY < law.cap + 2 * DAY


def test_what_nobody_finished_and_what_nobody_sees_goes_after_a_day() -> None:
    rule = bucket.rules()[-1]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert rule["Filter"] == {"Prefix": ""}


def test_rules_that_were_set_compare_equal_and_any_other_is_named(name: str) -> None:
    assert bucket.drift() == sorted(rule["ID"] for rule in bucket.rules())
    bucket.apply()
    assert bucket.drift() == []
    changed = bucket.rules()
    changed[0]["Expiration"]["Days"] += 9
    changed[1]["ID"] = "somebody else's"
    s3_client().put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": changed}
    )
    assert bucket.drift() == ["reference", "somebody else's", "upload"]


def test_the_command_sets_the_rules_and_compares_them() -> None:
    with pytest.raises(CommandError, match="rule upload is not as computed"):
        call_command("bucket", "--check")
    said = StringIO()
    call_command("bucket", "--apply", stdout=said)
    call_command("bucket", "--check", stdout=said)
    assert said.getvalue().count("nothing else is wrong") == 2


# --- Faults -------------------------------------------------------------------------------------


def test_a_private_bucket_without_versions_is_fine() -> None:
    assert bucket.examine() == ([], [])
    assert bucket.faults() == []
    assert not bucket.versioned()


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["someone", "*"]}])
def test_a_policy_for_everybody_is_a_fault(name: str, principal: Any) -> None:
    let_in(name, principal)
    assert bucket.PUBLIC_POLICY in bucket.faults()


@pytest.mark.parametrize(
    ("principal", "effect"), [("*", "Deny"), ({"AWS": "arn:aws:iam::1:user/upkeep"}, "Allow")]
)
def test_a_policy_that_lets_nobody_else_in_is_none(name: str, principal: Any, effect: str) -> None:
    let_in(name, principal, effect)
    assert bucket.PUBLIC_POLICY not in bucket.faults()


def test_an_acl_for_everybody_is_a_fault_and_strangers_do_get_in(name: str) -> None:
    s3_client().put_bucket_acl(Bucket=name, ACL="public-read")
    assert bucket.faults() == [bucket.PUBLIC_ACL, bucket.PUBLIC_LISTING]


def test_versions_are_a_fault_until_a_rule_purges_them(name: str) -> None:
    keep_versions(name)
    assert bucket.versioned()
    assert bucket.faults() == [bucket.VERSIONED]
    weak = [rule for rule in bucket.rules() if rule["ID"] != "leftovers"]
    s3_client().put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": weak}
    )
    assert bucket.faults() == [bucket.VERSIONED]
    bucket.apply()
    assert bucket.faults() == []


@pytest.mark.parametrize(
    "weaker",
    [
        {"Status": "Disabled"},
        {"Filter": {"Prefix": "portrait/"}},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
    ],
)
def test_a_rule_that_does_not_purge_all_within_a_day_is_not_enough(weaker: dict[str, Any]) -> None:
    rule = bucket.rules()[-1]
    assert bucket._purges(rule)
    assert not bucket._purges(rule | weaker)


# --- Who may not look ---------------------------------------------------------------------------


def refused(status: int) -> ClientError:
    answer: Any = {
        "Error": {"Code": "AccessDenied" if status == 403 else "InternalError"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "GetBucketAcl")


def failing(monkeypatch: pytest.MonkeyPatch, verb: str, status: int) -> None:
    client = bucket._client()[0]

    def fail(**wanted: Any) -> Any:
        raise refused(status)

    monkeypatch.setattr(client, verb, fail)


def test_what_a_login_may_not_see_is_said_and_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, settings_of: Any
) -> None:
    failing(monkeypatch, "get_bucket_acl", 403)
    failing(monkeypatch, "get_bucket_versioning", 403)
    wrong, unseen = bucket.examine()
    assert wrong == []
    assert unseen == [bucket.UNSEEN.format("ACL"), bucket.UNSEEN.format("versions")]
    # Deleting one version too many is better than leaving one.
    assert bucket.versioned()
    settings_of(PRODUCTION=True)
    bucket.require()
    assert [message.id for message in bucket.check(None)] == ["privacy.W010"] * 2
    complaints = StringIO()
    bucket.apply()
    call_command("bucket", "--check", stdout=StringIO(), stderr=complaints)
    assert "ACL" in complaints.getvalue()


def test_a_bucket_that_is_down_is_not_called_private(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "get_bucket_policy", 500)
    with pytest.raises(StorageDown):
        bucket.faults()
    assert [message.id for message in bucket.check(None)] == ["privacy.E011"]


def test_a_bucket_that_cannot_be_reached_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        region_name="us-east-1",
        config=Config(connect_timeout=0.2, retries={"max_attempts": 0}),
    )
    monkeypatch.setattr(bucket, "_client", lambda: (nowhere, "b"))
    with pytest.raises(StorageDown):
        bucket.versioned()


# --- Starting -----------------------------------------------------------------------------------


def test_upkeep_refuses_a_public_bucket_in_production_and_warns_elsewhere(
    name: str, settings_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    s3_client().put_bucket_acl(Bucket=name, ACL="public-read")
    with caplog.at_level(logging.WARNING):
        bucket.require()
    assert [record.msg for record in caplog.records] == [
        bucket.PUBLIC_ACL,
        bucket.PUBLIC_LISTING,
    ]
    settings_of(PRODUCTION=True)
    with pytest.raises(BucketRefused, match="everybody"):
        bucket.require()


def test_the_system_check_asks_the_bucket_only_when_it_is_asked_for(name: str) -> None:
    keep_versions(name)
    everyday: set[object] = set(registry.registry.registered_checks)
    assert bucket.check not in everyday
    found = run_checks(tags=["bucket"], include_deployment_checks=True)
    assert [(message.id, message.msg) for message in found] == [("privacy.E010", bucket.VERSIONED)]
    assert "bucket" not in vars(Tags).values()
