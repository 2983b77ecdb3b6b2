"""Makes the vectors of FORMAT.md, each named by what it expects: `python -m tests.vectors.make`.

The file is kept in the repository and made anew only when the format gets another version: it is
what later code, and other implementations, must still open and still refuse.
"""

import json
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from privacy import crypto
from privacy.crypto import Context, Recipient
from privacy.plain import Plain

FILE = Path(__file__).parent / "sealed.json"
# Of every length at which something could go wrong: none, one, a block and its neighbours, many.
LENGTHS = (0, 1, 15, 16, 17, 1000)
KINDS = (
    (1, Recipient.FLEET),
    (2, Recipient.FLEET),
    (3, Recipient.OWNER),
    (4, Recipient.OWNER),
    (5, Recipient.FLEET),
    (6, Recipient.FLEET),
    (7, Recipient.EVIDENCE),
    (8, Recipient.OWNER),
    (9, Recipient.OWNER),
)


@dataclass(frozen=True)
class Vector:
    """One sealed object, the place where somebody tries to open it, and what comes of it."""

    expect: str
    seed: bytes
    place: Context
    capsule: bytes
    body: bytes
    plain: bytes | None

    def row(self) -> dict[str, Any]:
        """As it stands in the file: bytes in hex, ids as UUIDs."""
        return {
            "expect": self.expect,
            "seed": self.seed.hex(),
            "kind": self.place.kind,
            "recipient": int(self.place.recipient),
            "owner": str(self.place.owner),
            "blob": str(self.place.blob),
            "capsule": self.capsule.hex(),
            "body": self.body.hex(),
            "plain": None if self.plain is None else self.plain.hex(),
        }


def opening(kind: int, recipient: Recipient, plain: bytes) -> Vector:
    """A fresh object that opens."""
    seed = crypto.new_seed()
    place = Context(kind, recipient, uuid.uuid4(), uuid.uuid4())
    sealed = crypto.seal(Plain(plain), crypto.public_half(seed), place)
    return Vector("opens", seed, place, sealed.capsule, bytes(sealed.body), plain)


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes but for one bit."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def refused(good: Vector) -> list[Vector]:
    """Everything that can be done to a good object, each of which must be refused."""
    at, capsule, body = good.place, good.capsule, good.body
    other = Recipient.OWNER if at.recipient is Recipient.FLEET else Recipient.FLEET
    return [
        replace(good, expect=f"refused: {reason}", plain=None, **changes)
        for reason, changes in (
            ("wrong kind", {"place": replace(at, kind=at.kind % 9 + 1)}),
            ("wrong recipient", {"place": replace(at, recipient=other)}),
            ("wrong owner", {"place": replace(at, owner=uuid.uuid4())}),
            ("wrong blob", {"place": replace(at, blob=uuid.uuid4())}),
            ("wrong key", {"seed": crypto.new_seed()}),
            ("flipped bit in the body", {"body": flipped(body, 3)}),
            ("flipped bit in the tag", {"body": flipped(body, len(body) * 8 - 1)}),
            ("flipped bit in the capsule's lattice half", {"capsule": flipped(capsule, 800)}),
            ("flipped bit in the capsule's curve half", {"capsule": flipped(capsule, 1100 * 8)}),
            ("truncated by a byte", {"body": body[:-1]}),
            ("truncated to the tag's length", {"body": body[:16]}),
            ("truncated to nothing", {"body": b""}),
            ("trailing byte", {"body": body + b"\0"}),
            ("other version", {"capsule": b"\x02" + capsule[1:]}),
            ("version zero", {"capsule": b"\x00" + capsule[1:]}),
            ("short capsule", {"capsule": capsule[:-1]}),
            ("long capsule", {"capsule": capsule + b"\0"}),
        )
    ]


def wraps() -> list[dict[str, Any]]:
    """An owner key under a root key, in its own place and elsewhere."""
    seed, root, owner = crypto.new_seed(), crypto.new_seed(), uuid.uuid4()
    good = {
        "expect": "opens",
        "root": root.hex(),
        "owner": str(owner),
        "wrapped": crypto.wrap(seed, root, owner).hex(),
        "seed": seed.hex(),
    }
    bad = {"seed": None}
    wrapped = bytes.fromhex(str(good["wrapped"]))
    return [
        good,
        good | bad | {"expect": "refused: wrong owner", "owner": str(uuid.uuid4())},
        good | bad | {"expect": "refused: wrong root", "root": crypto.new_seed().hex()},
        good | bad | {"expect": "refused: flipped bit", "wrapped": flipped(wrapped, 100).hex()},
        good | bad | {"expect": "refused: trailing byte", "wrapped": (wrapped + b"\0").hex()},
    ]


def vectors() -> dict[str, Any]:
    """All of them: each kind and each length opens, and everything else is refused."""
    opened = [opening(kind, who, b"a face") for kind, who in KINDS]
    noise = bytes(range(256)) * 4
    opened += [opening(2, Recipient.FLEET, noise[:length]) for length in LENGTHS]
    bad = refused(opened[0]) + refused(opened[2])
    return {"version": 1, "sealed": [vector.row() for vector in opened + bad], "wrapped": wraps()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
