"""The file formats of a full portrait: how they are asked for, declared and called. Pure."""

from typing import Final

from django.db import models


class Format(models.TextChoices):
    """Of the full size; the smaller ones are JPEG."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"


MEDIA_TYPES: Final = tuple(f"image/{form}" for form in Format.values)
# What their files are called.
ENDINGS: Final = dict(zip(MEDIA_TYPES, ("jpg", "png", "webp", "avif"), strict=True))
