"""Every bit counts: what was changed, cut, swapped or moved does not open, not even in part.

With FULL=1 every bit of small objects is flipped; otherwise every fourth, beginning at another one
in each run. `make bench SUITE=crypto` seals for a minute what is sealed for some seconds here.
"""

import ast
import functools
import hashlib
import inspect
import itertools
import os
import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

import pytest

from deploy.env import ROOT
from privacy import crypto, vault
from privacy.audit import Reason
from privacy.crypto import Context, Recipient, Sealed
from privacy.errors import SealBroken
from privacy.models import Blob, Capsule
from privacy.plain import Plain
from privacy.retention import Kind
from tests.conftest import s3_client
from tests.figures import figure
from tests.portraits.making import now, owner, written

SEED = crypto.new_seed()
PUBLIC = crypto.public_half(SEED)
EVERY = 1 if os.environ.get("FULL") else 4
FLIPS = 100_000 // EVERY
PAGE = 4096
SEALS, SECONDS = 1_000_000, 3.0
SIZES = (0, 1, 16, 100, 700, 1500, 3000)


def place(kind: int = 1, who: Recipient = Recipient.FLEET) -> Context:
    return Context(kind, who, uuid.uuid4(), uuid.uuid4())


def opens(capsule: bytes, body: bytes, at: Context) -> bool:
    try:
        crypto.unseal(crypto.stored(capsule, body), SEED, at)
    except SealBroken:
        return False
    return True


def accepted(sealed: Sealed, at: Context, bits: Iterator[int] | range) -> tuple[int, int]:
    """(how many flips were tried, how many of them opened)."""
    split, tried, opened = len(sealed.capsule), 0, 0
    whole = bytearray(sealed.capsule + bytes(sealed.body))
    for bit in bits:
        whole[bit // 8] ^= 1 << bit % 8
        opened += opens(bytes(whole[:split]), bytes(whole[split:]), at)
        whole[bit // 8] ^= 1 << bit % 8
        tried += 1
    # The control: put back together, it opens.
    assert opens(bytes(whole[:split]), bytes(whole[split:]), at)
    return tried, opened


def test_no_flipped_bit_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bits of small objects, one size after another, until there were enough."""
    # The seed is expanded once instead of a hundred thousand times: half of the time.
    monkeypatch.setattr(crypto, "_private_parts", functools.cache(crypto._private_parts))
    tried = opened = 0
    for size in itertools.cycle(SIZES):
        at = place()
        sealed = crypto.seal(Plain(os.urandom(size)), PUBLIC, at)
        bits = (len(sealed.capsule) + len(sealed.body)) * 8
        some = range(random.randrange(EVERY), bits, EVERY)
        more, wrong = accepted(sealed, at, some[: FLIPS - tried])
        tried, opened = tried + more, opened + wrong
        if tried == FLIPS:
            break
    at = place()
    large = crypto.seal(Plain(os.urandom(1_000_000)), PUBLIC, at)
    bits = (len(large.capsule) + len(large.body)) * 8
    more, wrong = accepted(large, at, iter([0, 7, 9, 1121 * 8, bits // 2, bits - 129, bits - 1]))
    tried, opened = tried + more, opened + wrong
    figure(
        "C-01",
        value=opened,
        n=tried,
        holds=opened == 0,
        conditions=f"every {EVERY}. bit of whole objects, capsule and body, of up to 3,000 bytes,"
        " and a few of one of 1 MB",
    )
    assert opened == 0


def test_no_flipped_bit_is_accepted_by_the_vault(born: Any) -> None:
    """Whoever can change the bucket can change the table too, so the checksum is made to fit."""
    born("web")
    blob = written(Kind.PORTRAIT, owner(), os.urandom(400))
    capsule = bytes(blob.capsule.enc)
    client, bucket, name = s3_client(), os.environ["SITTER_S3_BUCKET"], blob.name
    with client.get_object(Bucket=bucket, Key=name)["Body"] as stream:
        body = bytes(stream.read())
    row = Blob.objects.filter(pk=blob.pk)
    for bit in range(0, len(body) * 8, 53):
        changed = bytearray(body)
        changed[bit // 8] ^= 1 << bit % 8
        client.put_object(Bucket=bucket, Key=name, Body=bytes(changed))
        row.update(sha256=hashlib.sha256(changed).digest())
        with pytest.raises(SealBroken):
            vault.read(blob.pk, now(), why=Reason.OWNER)
    client.put_object(Bucket=bucket, Key=name, Body=body)
    row.update(sha256=hashlib.sha256(body).digest())
    for bit in range(0, len(capsule) * 8, 97):
        changed = bytearray(capsule)
        changed[bit // 8] ^= 1 << bit % 8
        Capsule.objects.filter(blob=blob).update(enc=bytes(changed))
        with pytest.raises(SealBroken):
            vault.read(blob.pk, now(), why=Reason.OWNER)
    Capsule.objects.filter(blob=blob).update(enc=capsule)
    assert len(vault.read(blob.pk, now(), why=Reason.OWNER)) == 400


def test_nothing_cut_lengthened_or_rearranged_is_accepted() -> None:
    at = place()
    sealed = crypto.seal(Plain(os.urandom(200 * PAGE + 777)), PUBLIC, at)
    body, capsule = bytes(sealed.body), sealed.capsule
    pages = [body[start : start + PAGE] for start in range(0, len(body), PAGE)]
    cut = [b"".join(pages[:kept]) for kept in range(len(pages))]
    cut += [body[start:] for start in range(PAGE, len(body), PAGE)]
    longer = [body + more for more in (b"\0", bytes(16), pages[0], body, body[-16:])]
    longer += [b"\0" + body, sealed.capsule + body]
    swapped = []
    for first, second in itertools.pairwise(range(len(pages) - 1)):
        moved = list(pages)
        moved[first], moved[second] = moved[second], moved[first]
        swapped.append(b"".join(moved))
    swapped += [body[16:] + body[:16], body[-16:] + body[:-16], body[::-1]]
    changed = [*cut, *longer, *swapped]
    assert body not in changed
    opened = sum(opens(capsule, each, at) for each in changed)
    other = [capsule[:n] for n in range(0, len(capsule), 59)]
    other += [capsule + b"\0", b"\0" + capsule, capsule[1:] + capsule[:1], b""]
    opened += sum(opens(each, body, at) for each in other)
    assert opens(capsule, body, at)
    figure(
        "C-02",
        value=opened,
        n=len(changed) + len(other),
        holds=opened == 0,
        conditions=f"an object of {len(body)} bytes: cut from both ends at every 4 KiB,"
        " neighbouring 4 KiB swapped, bytes added at both ends, capsules of other lengths",
    )
    assert opened == 0


def test_what_is_sealed_to_one_key_opens_in_its_own_place_only() -> None:
    """All photos of a day share the fleet's key, so that the place alone tells them apart."""
    people = [uuid.uuid4() for _ in range(5)]
    places = [
        Context(kind, Recipient.FLEET, person, uuid.uuid4())
        for person in people
        for kind in (Kind.UPLOAD, Kind.REFERENCE, Kind.PROMPT, Kind.SOURCE)
    ]
    made = {at: crypto.seal(Plain(b"a face"), PUBLIC, at) for at in places}
    for source, target in itertools.product(places, places):
        sealed = made[source]
        assert opens(sealed.capsule, bytes(sealed.body), target) is (source is target)


# --- C-04: what nobody can even write ----------------------------------------------------------


def required(call: Any) -> list[str]:
    """The names of a call's parameters, if not one of them can be left out."""
    found = inspect.signature(call).parameters.values()
    assert all(one.default is one.empty for one in found), call
    assert not any(one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL) for one in found), call
    return [one.name for one in found]


def ciphers(source: str) -> set[str]:
    """Which modules with ciphers a source imports."""
    named = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    words = ("aead", "hpke", "ciphers", "fernet", "nacl", "Crypto")
    return {name for name in named if set(name.split(".")) & set(words)}


def test_nothing_is_sealed_or_opened_without_its_whole_context() -> None:
    assert required(crypto.seal) == ["plain", "public", "context"]
    assert required(crypto.unseal) == ["sealed", "seed", "context"]
    assert required(crypto.wrap) == ["seed", "root", "owner"]
    assert required(crypto.unwrap) == ["wrapped", "root", "owner"]
    parts = {part.name: part for part in fields(Context)}
    assert set(parts) == {"kind", "recipient", "owner", "blob"}
    assert all(p.default is MISSING and p.default_factory is MISSING for p in parts.values())
    with pytest.raises(TypeError):
        Context(kind=1, recipient=Recipient.FLEET, owner=uuid.uuid4())  # type: ignore[call-arg]
    guilty = {
        path.relative_to(ROOT).as_posix(): found
        for room in ("accounts", "privacy", "portraits", "workers", "deploy")
        for path in (ROOT / room).rglob("*.py")
        if (found := ciphers(path.read_text("utf-8")))
    }
    assert guilty.pop("privacy/crypto.py"), "The question would find a cipher."
    # For whoever receives a package and has nothing else of ours.
    assert guilty.pop("deploy/docs/open_package.py")
    assert guilty == {}
    figure(
        "C-04",
        value="impossible by signature",
        n=4 + len(parts),
        holds=True,
        conditions="no parameter of seal, unseal, wrap, unwrap and no field of Context can be left"
        " out; no other module imports a cipher",
    )


# --- C-08 --------------------------------------------------------------------------------------


def test_no_encapsulation_and_no_nonce_comes_twice() -> None:
    """As many as fit into the time; `make bench SUITE=crypto` goes on for a million."""
    at, plain, root = place(), Plain(b""), crypto.new_seed()
    lattice, curve, nonces = set[bytes](), set[bytes](), set[bytes]()
    count, end = 0, time.monotonic() + SECONDS
    while count < SEALS and (count < 1000 or time.monotonic() < end):
        capsule = crypto.seal(plain, PUBLIC, at).capsule
        lattice.add(capsule[1:33])
        curve.add(capsule[-32:])
        nonces.add(crypto.wrap(SEED, root, at.owner)[:12])
        count += 1
    repeated = 3 * count - len(lattice) - len(curve) - len(nonces)
    figure(
        "C-08",
        value=repeated,
        n=count,
        holds=repeated == 0,
        conditions="so many seals of the same bytes to the same key in the same place, both halves"
        " of the encapsulation, and as many wraps of one owner key with their nonces",
    )
    assert repeated == 0
