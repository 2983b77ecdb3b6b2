"""An engine that paints nothing: it returns the first reference, fitted to the size.

From words it returns one colour that the choices decide.

It makes the owner's download a positive control, because what went in comes out. It can be slowed
down from outside, so that a test can strike while it paints.
"""

import hashlib

from PIL import Image, ImageOps

from tests.still import StillEngine
from workers.engines.base import Order, Task


class PassthroughEngine(StillEngine):
    """Follows the protocol of workers/engines/base.py."""

    tasks = frozenset({Task.IDENTITY, Task.TEXT})
    sizes = ((512, 512), (512, 640), (1024, 1024))

    def paint(self, order: Order) -> Image.Image:
        """The photo, or a colour."""
        if order.task is Task.TEXT:
            colour = hashlib.sha256(repr(order.choices).encode()).digest()
            return Image.new("RGB", (order.width, order.height), tuple(colour[:3]))
        return ImageOps.fit(order.references[0], (order.width, order.height))
