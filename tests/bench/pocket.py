"""How long the pocket engine takes for one portrait, loading apart."""

import statistics
from pathlib import Path

from PIL import Image

from deploy.env import ROOT
from tests.bench import report
from workers.engines.base import Order, Task, create

ROUNDS = 5


def run() -> None:
    """Seconds by style at 512 x 512, and for one style at the larger sizes."""
    engine = create("pocket", ROOT / "workers" / "weights" / "pocket")
    loading = report.seconds(engine.load, 1)
    can = engine.describe()
    with Image.open(Path(ROOT, "deploy", "demo", "photo.jpg")) as photo:
        face = photo.convert("RGB")

    def paint(style: str, width: int, height: int) -> list[float]:
        order = Order(Task.IDENTITY, style, width, height, seed=1, references=(face,))
        return report.seconds(lambda: engine.render(order, lambda done, total: None), ROUNDS)

    raw = {}
    print("| style | size | median s | slowest s |")
    print("|---|---|---|---|")
    first = sorted(can.styles)[0]
    jobs = [(style, (512, 512)) for style in sorted(can.styles)]
    jobs += [(first, size) for size in can.sizes if size[0] > 512]
    for style, (width, height) in jobs:
        taken = paint(style, width, height)
        raw[f"{style} {width}x{height}"] = taken
        middle = statistics.median(taken)
        print(f"| {style} | {width}x{height} | {middle:.2f} | {max(taken):.2f} |")
    small = [second for key, taken in raw.items() if "512x512" in key for second in taken]
    report.figure(
        "pocket-512",
        value=round(max(small), 2),
        unit="s at most",
        n=len(small),
        holds=max(small) <= 6,
        how="every style, weights loaded",
    )
    report.keep("pocket", {"seconds": raw, "load_seconds": loading})
