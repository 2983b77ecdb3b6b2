"""What other processes hold in their memory: every byte that they can write to, searched.

A process may be read by its own user unless it forbade that, and by root always. Whoever may not
read one is told so: a search that saw nothing must never look like one that found nothing.
"""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PIECE = 16 * 2**20


class MemoryClosed(Exception):
    """A process is there and cannot be read by this user."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"The memory of process {pid} cannot be read by this user.")


def family(pid: int) -> list[int]:
    """A process and everything that it has started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        born = [child for task in tasks for child in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []
    return [pid, *(member for child in born for member in family(int(child)))]


def scan(pids: Iterable[int], needles: Mapping[str, bytes]) -> Counter[tuple[int, str]]:
    """How often each needle lies in each process; only what was found is in the answer."""
    longest = max((len(needle) for needle in needles.values()), default=0)
    found: Counter[tuple[int, str]] = Counter()
    for pid in pids:
        for piece in pieces(pid, longest - 1):
            for name, needle in needles.items():
                if hits := piece.count(needle):
                    found[pid, name] += hits
    return found


def _regions(pid: int) -> Iterator[tuple[int, int]]:
    """Whatever is private and readable; a library's own unchanged text is nobody's picture."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, _, _, inode, *name = line.split(maxsplit=5)
        kernels = name and name[0].startswith(("[vvar", "[vsyscall"))
        if rights[0] == "r" and (rights[1] == "w" or inode == "0") and not kernels:
            first, _, last = span.partition("-")
            yield int(first, 16), int(last, 16)


def pieces(pid: int, overlap: int) -> Iterator[bytes]:
    """The memory in pieces that overlap, so that no needle falls between two of them."""
    try:
        regions = list(_regions(pid))
        memory = io.FileIO(f"/proc/{pid}/mem")
    except (FileNotFoundError, ProcessLookupError):
        # It has ended, and what it held went back to the kernel, which clears every page.
        return
    except PermissionError:
        raise MemoryClosed(pid) from None
    seen = 0
    with memory:
        for first, last in regions:
            for start in range(first, last, PIECE):
                piece = _piece(memory, start, min(PIECE + overlap, last - start))
                seen += len(piece)
                yield piece
    if regions and not seen and Path(f"/proc/{pid}/mem").exists():
        raise MemoryClosed(pid)


def _piece(memory: io.FileIO, start: int, length: int) -> bytes:
    """One piece, or nothing where the region ended between the listing and the look."""
    try:
        memory.seek(start)
        return memory.read(length) or b""
    except OSError:
        return b""
