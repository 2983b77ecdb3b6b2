"""Whether a loaded engine paints: a picture of nobody, looked at before anybody's photo comes in.

Weights that loaded well can still paint black: a wrong data type, a broken driver, a card that
fails. The subject is drawn here, so that it shows no person.
"""

import threading
from typing import Final

from PIL import Image, ImageDraw, ImageStat

from workers.engines import base
from workers.engines.sizes import SCALE

LIMIT_SECONDS: Final = 120.0
# A picture whose channels all vary less than this, of 255, is one flat colour.
FLAT: Final = 1.0
SIDE: Final = 512


def drawn() -> Image.Image:
    """A head and shoulders of coloured shapes."""
    picture = Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((96, 352, 416, 640), fill=(70, 90, 160))
    pen.ellipse((156, 96, 356, 376), fill=(214, 168, 140))
    for left in (206, 282):
        pen.ellipse((left, 206, left + 24, 222), fill=(40, 40, 60))
    pen.arc((216, 256, 296, 316), 20, 160, fill=(150, 60, 60), width=6)
    return picture


def orders(can: base.Capabilities) -> list[base.Order]:
    """The smallest picture that this engine can paint, in one step; and what it can enlarge.

    Whatever enlarges beside painting does so by other weights, which a painting does not try.
    """
    tasks = [task for task in base.Task if task in can.tasks]
    larger = [task for task in tasks[1:] if task is base.Task.UPSCALE]
    return [order(can, task) for task in (tasks[0], *larger)]


def order(can: base.Capabilities, task: base.Task) -> base.Order:
    """The smallest of one task."""
    width, height = min(can.of(task), key=lambda size: size[0] * size[1])
    subject = drawn()
    if task is base.Task.UPSCALE:
        subject = subject.resize((width // SCALE, height // SCALE))
    return base.Order(
        task=task,
        style=min(can.styles, default="plain"),
        width=width,
        height=height,
        seed=1,
        steps=1,
        prompt="a paper boat on a table" if can.words else None,
        references=(subject,) if task is base.Task.IDENTITY else (),
        source=subject if task in (base.Task.EDIT, base.Task.UPSCALE) else None,
    )


def try_out(engine: base.Engine, limit: float = LIMIT_SECONDS) -> None:
    """Raises Unfit, with a sentence that says what is wrong."""
    for wanted in orders(engine.describe()):
        _try(engine, wanted, limit)


def _try(engine: base.Engine, wanted: base.Order, limit: float) -> None:
    painted: list[Image.Image] = []
    failed: list[BaseException] = []

    def paint() -> None:
        try:
            painted.append(engine.render(wanted, lambda done, total: None))
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine is not fit
            failed.append(error)

    # In a thread of its own: an engine that hangs cannot be asked to stop.
    thread = threading.Thread(target=paint, name="fitness", daemon=True)
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        raise base.Unfit(f"It has painted nothing within {limit:.0f} s.")
    if failed:
        raise base.Unfit(f"It failed with {type(failed[0]).__name__}.")
    _look(painted[0], (wanted.width, wanted.height))


def _look(picture: Image.Image, size: tuple[int, int]) -> None:
    if picture.size != size:
        raise base.Unfit("Its picture has another size than was asked for.")
    if max(ImageStat.Stat(picture.convert("RGB")).stddev) < FLAT:
        raise base.Unfit("Its picture is one flat colour.")
