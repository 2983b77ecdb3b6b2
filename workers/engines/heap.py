"""Memory that painting has used and freed, and that its allocator would keep."""

import ctypes


def give_back() -> bool:
    """Hand free pages to the kernel: what the heap keeps for the next photo adds up over threads.

    Whether the C library can do that.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:
        return False
    trim(0)
    return True
