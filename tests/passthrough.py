"""An engine that paints nothing: it returns the first reference, fitted to the size.

From words it returns one colour that the choices decide, a portrait inside out, in colours, where
it is to change, and another four times as large.

It makes the owner's download a positive control, because what went in comes out. It can be slowed
down from outside, so that a test can strike while it paints.
"""

import hashlib

from PIL import Image, ImageOps

from tests.still import StillEngine
from workers.engines.base import Order, Task


class PassthroughEngine(StillEngine):
    """Follows the protocol of workers/engines/base.py."""

    tasks = frozenset(Task)
    sizes = ((512, 512), (512, 640), (1024, 1024))
    enlarged = ((2048, 2048), (2048, 2560))

    def paint(self, order: Order) -> Image.Image:
        """The photo, or a colour."""
        if order.task is Task.TEXT:
            colour = hashlib.sha256(repr(order.choices).encode()).digest()
            return Image.new("RGB", (order.width, order.height), tuple(colour[:3]))
        size = (order.width, order.height)
        if order.source is None:
            return ImageOps.fit(order.references[0], size)
        picture = order.source.resize(size, Image.Resampling.NEAREST)
        if order.task is Task.UPSCALE:
            return picture
        changed = ImageOps.invert(picture)
        return Image.composite(changed, picture, order.mask.resize(size)) if order.mask else changed
