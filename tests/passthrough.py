"""An engine that paints nothing: it returns the first reference, fitted to the size.

It makes the owner's download a positive control, because what went in comes out. It can be slowed
down from outside, so that a test can strike while it paints.
"""

from PIL import Image, ImageOps

from tests.still import StillEngine
from workers.engines.base import Order


class PassthroughEngine(StillEngine):
    """Follows the protocol of workers/engines/base.py."""

    sizes = ((512, 512), (512, 640), (1024, 1024))

    def paint(self, order: Order) -> Image.Image:
        """The photo."""
        return ImageOps.fit(order.references[0], (order.width, order.height))
