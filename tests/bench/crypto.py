"""Sealing against the roof: one-shot AES-256-GCM of the same library in the same process."""

import os
import statistics
import uuid
from functools import partial
from time import perf_counter

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacy import crypto, memory
from privacy.crypto import Context, Recipient
from privacy.plain import Plain
from tests.bench import report

SIZES = (100_000, 1_000_000, 4_000_000, 16_000_000)
ROUNDS = 41
SEALS, MINUTE = 1_000_000, 60.0


def run() -> None:
    """C-09 and R7: seal, unseal and the roof, interleaved, median and p95 in milliseconds."""
    # As every process of ours does when it starts; the roof is measured under the same terms.
    memory.overwrite_freed()
    seed = crypto.new_seed()
    public = crypto.public_half(seed)
    place = Context(1, Recipient.FLEET, uuid.uuid4(), uuid.uuid4())
    roof = AESGCM(os.urandom(32))
    raw = {}
    print("| bytes | seal p50 | seal p95 | unseal p50 | unseal p95 | AES-GCM p50 |  (ms)")
    print("|---|---|---|---|---|---|")
    within = True
    for size in SIZES:
        plain = Plain(os.urandom(size))
        sealed = crypto.seal(plain, public, place)
        nonce, data = os.urandom(12), plain.reveal()
        rows: dict[str, list[float]] = {"seal": [], "unseal": [], "roof": []}
        for _ in range(ROUNDS):
            rows["seal"] += report.seconds(partial(crypto.seal, plain, public, place), 1)
            rows["unseal"] += report.seconds(partial(crypto.unseal, sealed, seed, place), 1)
            rows["roof"] += report.seconds(partial(roof.encrypt, nonce, data, None), 1)
        raw[size] = rows
        seal, unseal, base = (statistics.median(rows[key]) * 1e3 for key in rows)
        tails = [report.p95(rows[key]) * 1e3 for key in ("seal", "unseal")]
        print(
            f"| {size} | {seal:.2f} | {tails[0]:.2f} | {unseal:.2f} | {tails[1]:.2f} | {base:.2f} |"
        )
        within = within and seal <= 0.3 + 1.1 * base
        if size == 4_000_000:
            report.figure(
                "C-09",
                value=f"{tails[0]:.2f} / {tails[1]:.2f}",
                unit="ms",
                n=ROUNDS,
                holds=max(tails) <= 3,
                how="p95, one thread, freed memory overwritten",
            )
    report.figure(
        "R7",
        value="within" if within else "above",
        unit="",
        n=ROUNDS * len(SIZES),
        holds=within,
        how="median of each size from 100 kB to 16 MB",
    )
    report.keep("crypto", {"seconds": raw})
    repeats(public, place)


def repeats(public: bytes, place: Context) -> None:
    """C-08: a million seals, or as many as fit into a minute."""
    plain, root, seed = Plain(b""), crypto.new_seed(), crypto.new_seed()
    lattice, curve, nonces = set[bytes](), set[bytes](), set[bytes]()
    count, end = 0, perf_counter() + MINUTE
    while count < SEALS and perf_counter() < end:
        capsule = crypto.seal(plain, public, place).capsule
        lattice.add(capsule[1:33])
        curve.add(capsule[-32:])
        nonces.add(crypto.wrap(seed, root, place.owner)[:12])
        count += 1
    repeated = 3 * count - len(lattice) - len(curve) - len(nonces)
    report.figure(
        "C-08",
        value=repeated,
        unit="",
        n=count,
        holds=repeated == 0,
        how="both halves of the encapsulation, and nonces of as many wrapped owner keys, of seals"
        f" to one key in one place within {MINUTE:.0f} s",
    )
