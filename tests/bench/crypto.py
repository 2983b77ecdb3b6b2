"""Sealing against the roof: one-shot AES-256-GCM of the same library in the same process."""

import os
import statistics
import uuid
from functools import partial

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacy import crypto
from privacy.crypto import Context, Recipient
from privacy.plain import Plain
from tests.bench import report

SIZES = (100_000, 1_000_000, 4_000_000, 16_000_000)
ROUNDS = 41


def run() -> None:
    """C-09 and R7: seal, unseal and the roof, interleaved, median and p95 in milliseconds."""
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
                how="p95, one thread",
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
