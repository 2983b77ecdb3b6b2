"""Content credentials whose key never leaves KMS: signed there, believed under the same root."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.stack import certificates
from portraits import provenance
from privacy import kms
from tests.images import credentials
from workers import fitness, manifest, sizes


def made(kms_client: Any, folder: Path) -> tuple[str, Any]:
    """A signing key in KMS, and a chain for it in the folder; its id and the root."""
    key = kms_client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    public = kms_client.get_public_key(KeyId=key["KeyId"])["PublicKey"]
    half = serialization.load_der_public_key(public)
    assert isinstance(half, ec.EllipticCurvePublicKey)
    issuer_key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    issuer = certificates.root(issuer_key, now)
    chain = [certificates.leaf(half, issuer_key, issuer, now), issuer]
    pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain)
    (folder / manifest.CHAIN).write_bytes(pem)
    return str(key["KeyId"]), issuer


def picture() -> bytes:
    return provenance.mark(sizes.renditions(fitness.drawn(), key="test")[0].data)


def signed(key: str, folder: Path) -> bytes:
    signer = manifest.Signer(folder, version="1", sign=partial(kms.sign, key))
    return signer.sign(picture(), "image/jpeg", engine="pocket", weights_sha256="0" * 64)


def test_a_key_in_kms_signs_what_a_separate_reader_believes(
    kms_client: Any, tmp_path: Path
) -> None:
    key, root = made(kms_client, tmp_path)
    assert not (tmp_path / manifest.KEY).exists()
    assert credentials.read(signed(key, tmp_path), root).label.startswith("urn:c2pa:")


def test_a_kms_that_refuses_leaves_no_unsigned_portrait(kms_client: Any, tmp_path: Path) -> None:
    made(kms_client, tmp_path)
    with pytest.raises(manifest.Unsigned):
        signed("alias/nobody", tmp_path)
