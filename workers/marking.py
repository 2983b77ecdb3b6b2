"""What a finished picture is told by: watermark, packet and manifest, for each of its sizes.

It owns the order: pixels, watermark, encoder, packet, signature; sealing comes behind it. Nothing
is changed after the signature, which would break.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from django.conf import settings
from PIL import Image

from portraits import provenance
from privacy import kms
from workers import manifest, sizes
from workers.engines import base

MEDIA_TYPES: Final = {kind: f"image/{kind.lower()}" for kind in ("JPEG", "PNG", "WEBP", "AVIF")}


@dataclass(frozen=True)
class Marked:
    """One size, ready to be sealed."""

    name: str
    data: bytes
    width: int
    height: int
    media_type: str


@lru_cache(maxsize=1)
def signer() -> manifest.Signer | None:
    """The signer of this process; None where it was given no certificate."""
    if settings.C2PA_KEYS is None or not settings.C2PA:
        return None
    sign = partial(kms.sign, settings.C2PA_KMS) if settings.C2PA_KMS else None
    return manifest.Signer(
        settings.C2PA_KEYS,
        version=settings.VERSION,
        sign=sign,
        timestamps=settings.C2PA_TIMESTAMPS or None,
    )


def all_sizes(painted: Image.Image, form: str, can: base.Capabilities) -> list[Marked]:
    """Every size of a picture with all its marks. `form`: of the full size; empty is the usual one.

    Raises manifest.Unsigned: a picture that could not be signed is none that we hand out.
    """
    kind = (form or settings.PORTRAIT_FORMAT).upper()
    signs = signer()
    made = []
    for size in sizes.renditions(painted, kind, key=settings.WATERMARK_KEY):
        media_type = MEDIA_TYPES[size.kind]
        data = provenance.mark(size.data)
        if signs is not None:
            weights = can.weights_sha256
            data = signs.sign(data, media_type, engine=can.name, weights_sha256=weights)
        made.append(Marked(size.name, data, size.width, size.height, media_type))
    return made
