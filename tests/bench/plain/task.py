"""What one writes at first: a Celery task that loads, paints, encodes, encrypts, stores in order.

It stands beside our worker in suite `worker`: the same broker, bucket, picture and sleep. It keeps
no states, checks no lease, and knows one key for everything.
"""

import io
import os
import time
from pathlib import Path

import boto3
from celery import Celery
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from PIL import Image

from tests.bench.stub import pictures
from tests.still import STEPS

app = Celery("plain", broker=os.environ["PLAIN_BROKER"])
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    broker_transport_options={"visibility_timeout": 600},
)
# Pillow's own level, unless we are told to be as quick as our worker.
LEVEL = int(os.environ.get("PLAIN_LEVEL", "6"))
OPTIONS: dict[str, dict[str, int]] = {
    "jpeg": {"quality": 95, "subsampling": 0},
    "png": {"compress_level": LEVEL},
}
BUCKET = os.environ["SITTER_S3_BUCKET"]
PHOTO = "plain/photo"
_box = AESGCM(bytes.fromhex(os.environ["PLAIN_KEY"]))
_s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["SITTER_S3_ENDPOINT_URL"],
    aws_access_key_id=os.environ["SITTER_S3_ACCESS_KEY"],
    aws_secret_access_key=os.environ["SITTER_S3_SECRET_KEY"],
    region_name="us-east-1",
)
_log = Path(os.environ["SITTER_TEST_RENDER_LOG"])
_pause = float(os.environ["SITTER_TEST_STEP_SECONDS"])
_kind = os.environ["PLAIN_FORMAT"]
_side = int(os.environ["PLAIN_SIDE"])
_made = pictures(((_side, _side),))[_side, _side]


def put(name: str, data: bytes) -> None:
    """Encrypted under the one key."""
    nonce = os.urandom(12)
    _s3.put_object(Bucket=BUCKET, Key=name, Body=nonce + _box.encrypt(nonce, data, None))


@app.task(name="paint")
def paint(number: str) -> None:
    """One picture."""
    body = _s3.get_object(Bucket=BUCKET, Key=PHOTO)["Body"].read()
    with Image.open(io.BytesIO(_box.decrypt(body[:12], body[12:], None))) as photo:
        photo.load()
    began = time.monotonic()
    for _ in range(STEPS):
        time.sleep(_pause)
    with _log.open("a") as file:
        file.write(f"{began} {time.monotonic()}\n")
    stream = io.BytesIO()
    _made.save(stream, _kind, **OPTIONS[_kind])
    put(f"plain/{number}", stream.getvalue())
