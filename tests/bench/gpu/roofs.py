"""What the card reaches at its best: everything else is told as a share of this."""

import torch

from tests.bench.gpu.place import PEAK_TFLOPS, Place


def run(place: Place) -> dict[str, float]:
    """TFLOP/s of a large product, GB/s of its memory and from the machine's."""
    found = {
        "matmul_tflops": matmul(place),
        "memory_gb_s": memory(place),
        "from_host_gb_s": from_host(place),
    }
    print(f"matmul: {found['matmul_tflops']:.4g} TFLOP/s, of a stated {PEAK_TFLOPS:.0f}")
    print(f"memory: {found['memory_gb_s']:.4g} GB/s read and written")
    print(f"from pinned memory of the machine: {found['from_host_gb_s']:.4g} GB/s")
    return found


def matmul(place: Place) -> float:
    """Random numbers: of zeros a card makes less heat, and keeps a higher clock."""
    side = place.pick(8192, 256)
    first, second = (
        torch.randn(side, side, device=place.device, dtype=place.kind) for _ in range(2)
    )
    made = torch.empty_like(first)
    times = place.pick(20, 2)

    def several() -> None:
        for _ in range(times):
            torch.mm(first, second, out=made)

    return float(times * 2 * side**3) / place.seconds(several) / 1e12


def memory(place: Place) -> float:
    numbers = torch.empty(place.pick(2 * 2**30, 2**22), dtype=torch.uint8, device=place.device)
    copy = torch.empty_like(numbers)
    return 2 * numbers.nbytes / place.seconds(lambda: copy.copy_(numbers)) / 1e9


def from_host(place: Place) -> float:
    size = place.pick(4 * 2**30, 2**22)
    host = torch.empty(size, dtype=torch.uint8, pin_memory=not place.toy)
    there = torch.empty(size, dtype=torch.uint8, device=place.device)
    return float(size) / place.seconds(lambda: there.copy_(host, non_blocking=True)) / 1e9
