"""A7: a transformer of 24 GB comes from the machine's pinned memory onto the card."""

import torch

from tests.bench.gpu.place import Place

BYTES = 24 * 10**9
# As large as such a transformer's larger parameters.
PIECE = 2 * 10**8


def run(place: Place) -> dict[str, float]:
    """Seconds for all of it, piece by piece, as parameters come."""
    total, piece = place.pick((BYTES, PIECE), (24 * 10**6, 2 * 10**6))
    # Pinned a piece at a time: one block of 24 GB may not be had.
    host = [
        torch.empty(piece, dtype=torch.uint8, pin_memory=not place.toy)
        for _ in range(total // piece)
    ]
    for each in host:
        each.random_(0, 255)
    there = [torch.empty(piece, dtype=torch.uint8, device=place.device) for _ in host]

    def swap() -> None:
        for source, target in zip(host, there, strict=True):
            target.copy_(source, non_blocking=True)

    seconds = place.seconds(swap, rounds=place.pick(5, 2))
    assert torch.equal(there[-1].cpu(), host[-1])
    found = {"s": seconds, "gb_s": total / seconds / 1e9, "gb": total / 1e9}
    print(found)
    return found
