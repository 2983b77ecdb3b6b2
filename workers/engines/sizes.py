"""The sizes that published engines paint in, and the fourfold of them that an upscale may ask for.

Owns both lists, so that whatever can be painted can be enlarged. Imports nothing, so that an engine
with few libraries may read it. The names of common uses are elsewhere; here are the shapes.
"""

from __future__ import annotations

from typing import Final

SCALE: Final = 4
# 1:1, 4:5, 3:4, 9:16 and 16:9. Sides are multiples of sixteen: eight for the decoder, two for the
# patches.
PAINTED: Final = (
    (512, 512),
    (512, 640),
    (576, 768),
    (768, 768),
    (576, 1024),
    (1024, 576),
    (768, 1024),
    (1024, 1024),
)
ENLARGED: Final = tuple((width * SCALE, height * SCALE) for width, height in PAINTED)
