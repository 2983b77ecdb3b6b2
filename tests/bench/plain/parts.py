"""What a worker computes for a picture beside its job: codec, the looks at it, its signature.

A process of its own, with a worker's environment and overwritten memory; prints the milliseconds of
processor time of each, medians, as JSON. Its argument is the side of the picture.
"""

import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 20


def main(side: int) -> None:
    """Each part alone, in turns."""
    from portraits import provenance
    from privacy import memory
    from tests.bench.stub import pictures
    from workers import images, manifest, sizes
    from workers.faces import Faces
    from workers.outlet import Outlet
    from workers.safety import OpenNsfw

    memory.overwrite_freed()
    made = pictures(((side, side),))[side, side]
    stream = io.BytesIO()
    made.save(stream, "JPEG", quality=92, subsampling=0)
    outlet = Outlet(OpenNsfw(), Faces())
    outlet.load()
    signer = manifest.Signer(Path(os.environ["SITTER_C2PA_KEYS"]), version="0")
    files = [provenance.mark(size.data) for size in sizes.renditions(made, key="bench")]

    def codec() -> None:
        images.open_reference(stream.getvalue())
        sizes.renditions(made, key="bench")

    def signature() -> None:
        for file in files:
            signer.sign(file, "image/jpeg", engine="stub", weights_sha256="0" * 64)

    parts: dict[str, Callable[[], Any]] = {
        "codec": codec,
        "decency": lambda: outlet.judge.judge(made),
        "face": lambda: outlet.sees_face(made, "strict"),
        "signature": signature,
    }
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(ROUNDS):
        for name, call in parts.items():
            began = time.process_time()
            call()
            taken[name].append((time.process_time() - began) * 1000)
    print(json.dumps({name: statistics.median(rows) for name, rows in taken.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
