"""What AWS lets each role do: its IAM document, the buckets' policies and lifecycle rules.

`python -m deploy.policies` writes them to deploy/helm/sitter/aws/, from the tables that decide what
a role may hold (privacy/checks.py) and open (privacy/policy.py), so that the compartments hold
outside of our own code too. A test compares the files. Words in capitals are yours to fill in.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from deploy.env import ROOT
from privacy.checks import HELD

FOLDER: Final = ROOT / "deploy" / "helm" / "sitter" / "aws"
BODIES, LEDGER, KEYS = "BODIES_BUCKET", "LEDGER_BUCKET", "KEYS_BUCKET"
ACCOUNT: Final = "arn:aws:kms:REGION:ACCOUNT"
# Sort of keys → the setting that gives it; the certificate's key signs and lies in no bucket.
SORTS: Final = {
    "root": "ROOT_KEYS",
    "fleet": "FLEET_KEYS",
    "evidence": "EVIDENCE_KEYS",
    "receipt": "RECEIPT_KEYS",
    "grant": "GRANT_KEYS",
}
# Who makes and ends the keys of a sort; who else holds it reads them only.
MAKERS: Final = {
    "root": "keeper", "fleet": "intake", "evidence": "keeper", "receipt": "upkeep",
    "grant": "courier",
}  # fmt: skip
# Who writes bodies, and takes back what it could not commit.
WRITERS: Final = frozenset({"web", "intake", "gpu", "keeper", "upkeep"})
# Who notes what people end, before it is done; the others look whether a replay is due.
NOTERS: Final = frozenset({"web", "upkeep"})
LOOKS: Final = tuple(
    f"s3:Get{what}"
    for what in ("BucketAcl", "BucketPolicy", "BucketVersioning", "LifecycleConfiguration")
)
ROLES: Final = ("web", "intake", "gpu", "upkeep", "keeper", "courier")
Statement = dict[str, Any]


def role_document(role: str, opens: list[str]) -> dict[str, Any]:
    """One role's IAM document. `opens`: the kinds of bodies that its keys open."""
    said = [] if role == "courier" else [*_bodies(role, opens), *_ledger(role)]
    for sort, setting in SORTS.items():
        if setting in HELD.get(role, set()):
            said += _keys(sort, makes=MAKERS[sort] == role)
    if role == "gpu":
        said.append(_allow(["kms:Sign"], [f"{ACCOUNT}:key/C2PA_KEY_ID"]))
    return {"Version": "2012-10-17", "Statement": said}


def _allow(actions: list[str], resources: list[str], **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def _objects(bucket: str, prefix: str = "") -> str:
    return f"arn:aws:s3:::{bucket}/{prefix}*"


def _bodies(role: str, opens: list[str]) -> Iterator[Statement]:
    # Upkeep compares sums and opens nothing, having no key.
    kinds = [""] if role == "upkeep" else [f"{kind}/" for kind in opens]
    yield _allow(["s3:GetObject"], [_objects(BODIES, kind) for kind in kinds])
    if role in WRITERS:
        yield _allow(["s3:PutObject", "s3:DeleteObject"], [_objects(BODIES)])
    looks = LOOKS if role == "upkeep" else ()
    yield _allow(["s3:ListBucket", *looks], [f"arn:aws:s3:::{BODIES}"])


def _ledger(role: str) -> Iterator[Statement]:
    yield _allow(["s3:ListBucket"], [f"arn:aws:s3:::{LEDGER}"])
    writes = ["s3:PutObject", "s3:DeleteObject"] if role in NOTERS else []
    yield _allow(["s3:GetObject", *writes], [_objects(LEDGER)])


def _keys(sort: str, *, makes: bool) -> Iterator[Statement]:
    writes = ["s3:PutObject", "s3:DeleteObject"] if makes else []
    yield _allow(["s3:GetObject", *writes], [_objects(KEYS, f"{sort}/")])
    # A role sees the names of its own sort; a missing name is then "missing" and not "forbidden".
    prefix = {"StringLike": {"s3:prefix": [f"{sort}/*"]}}
    yield _allow(["s3:ListBucket"], [f"arn:aws:s3:::{KEYS}"], Condition=prefix)
    context = {"kms:EncryptionContext:sitter": sort}
    if sort != "root":
        uses = ["kms:Decrypt", *(["kms:Encrypt"] if makes else [])]
        key = f"{ACCOUNT}:key/{sort.upper()}_KEY_ID"
        yield _allow(uses, [key], Condition={"StringEquals": context})
        return
    # Each root has a key of its own, known by its alias.
    ours = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/sitter-root-*"}}
    uses = ["kms:Decrypt", *(["kms:Encrypt"] if makes else [])]
    yield _allow(uses, [f"{ACCOUNT}:key/*"], Condition={"StringEquals": context, **ours})
    if makes:
        yield _allow(["kms:CreateKey"], ["*"])
        tend = ["kms:DescribeKey", "kms:ScheduleKeyDeletion", "kms:DeleteAlias"]
        yield _allow(tend, [f"{ACCOUNT}:key/*"], Condition=ours)
        # A key has no alias before it is given its first.
        yield _allow(["kms:CreateAlias"], [f"{ACCOUNT}:key/*"])
        aliases = ["kms:CreateAlias", "kms:DeleteAlias"]
        yield _allow(aliases, [f"{ACCOUNT}:alias/sitter-root-*"])


def bucket_policy(name: str, roles: list[str]) -> dict[str, Any]:
    """Nobody in clear, and nobody but these roles and whoever administers the account."""
    ours = [f"arn:aws:iam::ACCOUNT:role/sitter-{role}" for role in roles]
    both = [f"arn:aws:s3:::{name}", _objects(name)]
    everybody = {"Effect": "Deny", "Principal": "*", "Resource": both}
    strangers = {"aws:PrincipalArn": [*ours, "arn:aws:iam::ACCOUNT:role/ADMINISTRATOR"]}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                **everybody,
                "Action": "s3:*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {**everybody, "Action": "s3:*", "Condition": {"ArnNotLike": strangers}},
        ],
    }


def documents() -> dict[Path, dict[str, Any]]:
    """File → document."""
    from privacy import bucket, policy  # Django must be set up first

    opens = policy.who_opens()
    kinds = {kind["ID"] for kind in bucket.rules()}
    said: dict[Path, dict[str, Any]] = {
        FOLDER / "iam" / f"{role}.json": role_document(
            role, [kind for kind in opens[role] if kind in kinds]
        )
        for role in ROLES
    }
    for name in (BODIES, LEDGER, KEYS):
        # The courier has a key, and nothing to do with what people have.
        users = [role for role in ROLES if name == KEYS or role != "courier"]
        file = FOLDER / f"{name.lower().replace('_', '-')}-policy.json"
        said[file] = bucket_policy(name, users)
    said[FOLDER / "bodies-bucket-lifecycle.json"] = {"Rules": bucket.rules()}
    return said


def render() -> dict[Path, str]:
    """File → text."""
    return {file: json.dumps(one, indent=2) + "\n" for file, one in documents().items()}


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    django.setup()
    for file, text in render().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        sys.stdout.write(f"{file.relative_to(ROOT)}\n")
