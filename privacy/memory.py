"""What a process forgets the moment it lets go of it.

Freed memory keeps its content until somebody else needs the place, which in a quiet process may be
never: a face would lie there long after its job. Told so once, at the start, glibc overwrites
whatever it is given back, and keeps blocks of up to 32 MB in its own heap instead of asking the
kernel for new pages each time, whose first touch costs more than the encryption of what lies in
them: without it, four megabytes took 4.2 ms to open instead of 1.4 ms, overwriting included.

It does not reach blocks of up to a kilobyte, which glibc and Python keep in lists of their own; no
picture fits into one. Where the C library is another one, nothing changes and the answer is False.
"""

import ctypes
import gc
from typing import Final

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
M_PERTURB: Final = -6

# Any byte but zero switches it on; freed memory is filled with it.
FILL: Final = 0xA5
# The most that glibc keeps in its heap instead of mapping it apart: its own upper bound.
KEPT_BLOCK: Final = 32 * 2**20
# So much free memory at the heap's end is kept for the next photo; more goes back to the kernel.
KEPT_FREE: Final = 64 * 2**20


def overwrite_freed() -> bool:
    """From here on, what this process frees is overwritten. Whether the C library can do that."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    wanted = ((M_PERTURB, FILL), (M_MMAP_THRESHOLD, KEPT_BLOCK), (M_TRIM_THRESHOLD, KEPT_FREE))
    return all(mallopt(option, value) == 1 for option, value in wanted)


def settle() -> None:
    """What exists now stays for good, and is not looked at again by `forget`."""
    gc.collect()
    gc.freeze()


def forget() -> None:
    """Let go of what only refers to itself: requests, errors and the pictures that they held.

    After `settle` this takes a few milliseconds, because libraries are not looked through.
    """
    gc.collect()
