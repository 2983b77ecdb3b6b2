"""The embedded stack's own certificate for content credentials: a root, and a leaf that signs.

Made at the first start, in the gpu's own key folder. The root's private half is forgotten at once,
so nobody can issue a second leaf; whoever wants to check a portrait takes `root.pem` as the trust
anchor. It is known to nobody else: in production the operator brings a chain that others trust.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.stack.folders import write_private

YEARS: Final = timedelta(days=3650)
CHAIN: Final = "chain.pem"
KEY: Final = "key.pem"
ROOT: Final = "root.pem"


def ensure(folder: Path) -> None:
    """Make the chain where there is none; what the operator has put there is left alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / CHAIN).exists():
        return
    now = datetime.now(UTC) - timedelta(minutes=5)
    issuer_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = root(issuer_key, now)
    signing = leaf(key.public_key(), issuer_key, issuer, now)
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    write_private(folder / ROOT, issuer.public_bytes(pem).decode())
    write_private(folder / KEY, secret.decode())
    # Last: a start that was cut off before it makes everything anew.
    chain = signing.public_bytes(pem) + issuer.public_bytes(pem)
    write_private(folder / CHAIN, chain.decode())


def _named(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sitter, embedded stack"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _begun(now: datetime, subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + YEARS)
    )


def _usage(*, signs: bool, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def root(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """Signed by itself, and good for one leaf."""
    name = _named("Content credentials root")
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _begun(now, name, name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=False, issues=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def leaf(
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate,
    now: datetime,
) -> x509.Certificate:
    """What signs portraits."""
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    return (
        _begun(now, _named("Content credentials"), issuer.subject)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=True, issues=False), critical=True)
        # What the content-credentials rules ask of a signing certificate.
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(authority, critical=False)
        .add_extension(identifier, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
