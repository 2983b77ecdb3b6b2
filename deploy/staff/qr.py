"""A QR code that lies in its page: drawn as an inline SVG, asked for at no address, kept nowhere.

What it says is said to whoever sees the page, and to nobody else: a picture of its own would have
an address, and a cache that could keep it.
"""

from typing import Final

import segno
from django.utils.safestring import SafeString

# Pixels a module: what a phone reads from a screen at arm's length.
SCALE: Final = 4
# White modules around it, as the standard wants. They are drawn, so that a dark page has them too.
QUIET: Final = 4
# A quarter of it may glare, and a phone still reads it at the first try.
CORRECTION: Final = "m"


def square(text: str) -> SafeString:
    """An `svg` element; there are only numbers in it, so nothing of `text` can be markup."""
    code = segno.make_qr(text, error=CORRECTION)
    drawn = code.svg_inline(
        scale=SCALE, border=QUIET, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return SafeString(drawn)
