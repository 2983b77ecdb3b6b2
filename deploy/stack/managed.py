"""Services that somebody else runs: their addresses from the environment, checked before use.

A service that is down is named together with its setting; what a client library says about it is
left out, because it may quote a password.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
import redis
from botocore.exceptions import BotoCoreError, ClientError

from deploy.stack.errors import ServiceDown
from deploy.stack.seaweed import BUCKET, LEDGER, REGION, connect
from deploy.stack.valkey import ask

POSTGRES_URL = "SITTER_STACK_POSTGRES_URL"
BROKER_URL = "SITTER_STACK_BROKER_URL"
S3_ENDPOINT_URL = "SITTER_STACK_S3_ENDPOINT_URL"
S3_ACCESS_KEY = "SITTER_STACK_S3_ACCESS_KEY"
S3_SECRET_KEY = "SITTER_STACK_S3_SECRET_KEY"  # noqa: S105 - the setting's name


@dataclass(frozen=True, repr=False)
class Managed:
    """None means that the stack starts the service itself."""

    postgres_url: str | None
    broker_url: str | None
    s3_endpoint_url: str | None
    s3_access_key: str
    s3_secret_key: str
    s3_bucket: str
    ledger_bucket: str
    s3_region: str

    def check(self) -> None:
        if self.postgres_url:
            _check_postgres(self.postgres_url)
        if self.broker_url:
            _check_broker(self.broker_url)
        if self.s3_endpoint_url:
            for bucket in (self.s3_bucket, self.ledger_bucket):
                self._check_s3(self.s3_endpoint_url, bucket)

    def _check_s3(self, endpoint: str, bucket: str) -> None:
        try:
            client = connect(endpoint, self.s3_access_key, self.s3_secret_key, self.s3_region)
            try:
                client.head_bucket(Bucket=bucket)
            except ClientError as error:
                if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
                    raise
                client.create_bucket(Bucket=bucket)
        except (BotoCoreError, ClientError, ValueError) as error:
            reason = f"{endpoint} does not let us use the bucket {bucket}."
            raise ServiceDown("s3", reason, S3_ENDPOINT_URL) from error


def read(environ: Mapping[str, str]) -> Managed:
    return Managed(
        postgres_url=environ.get(POSTGRES_URL) or None,
        broker_url=environ.get(BROKER_URL) or None,
        s3_endpoint_url=environ.get(S3_ENDPOINT_URL) or None,
        s3_access_key=environ.get(S3_ACCESS_KEY, ""),
        s3_secret_key=environ.get(S3_SECRET_KEY, ""),
        s3_bucket=environ.get("SITTER_S3_BUCKET") or BUCKET,
        ledger_bucket=environ.get("SITTER_LEDGER_BUCKET") or LEDGER,
        s3_region=environ.get("SITTER_S3_REGION") or REGION,
    )


def _check_postgres(url: str) -> None:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except (psycopg.Error, ValueError) as error:
        reason = "the given server does not let us in."
        raise ServiceDown("postgres", reason, POSTGRES_URL) from error


def _check_broker(url: str) -> None:
    try:
        ask(url)
    except (redis.RedisError, ValueError) as error:
        reason = "the given server does not answer us."
        raise ServiceDown("broker", reason, BROKER_URL) from error
