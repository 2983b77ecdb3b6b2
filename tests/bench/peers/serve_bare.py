"""The tiny pipeline in a loop, without any server: as fast as it goes. Prints a line a picture."""

import sys
import time
from pathlib import Path

import tiny

if __name__ == "__main__":
    pipeline = tiny.load(Path(sys.argv[1]))
    tiny.paint(pipeline, 0)
    end = time.monotonic() + float(sys.argv[2])
    seed = 0
    while time.monotonic() < end:
        seed += 1
        began = time.monotonic()
        tiny.jpeg(tiny.paint(pipeline, seed))
        sys.stdout.write(f"{time.monotonic() - began}\n")
        sys.stdout.flush()
