"""What atheris runs: the decoding of one file, without walls, so that coverage can be seen.

    python -m tests.fuzz.decoder CORPUS [libFuzzer's options]

It ends at the first input that is neither refused nor decoded; whoever started it gives that input
to the real, walled-in child (test_the_decoder_is_fuzzed.py).
"""

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["PIL", "pi_heif", "workers.images"]):
    from workers import images

from workers.sandbox import NotAPhoto


def one(data: bytes) -> None:
    """Anything but a verdict, or a lack of memory, is a find."""
    with contextlib.suppress(NotAPhoto, MemoryError):
        images.decode(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
