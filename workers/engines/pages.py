"""Hands free memory back to the kernel.

Owns one call of the C library, and what follows where there is another library: nothing.
"""

import ctypes


def give_back() -> bool:
    """What the heaps of several threads keep for next time adds up; whether this library can."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:
        return False
    trim(0)
    return True
