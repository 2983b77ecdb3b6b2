"""How red, yellow, green or blue a colour looks, whatever its lightness: CIELAB, in plain numbers.

Owns the way from sRGB to CIELAB and back. Degrees of hue mean the same all around the circle there;
in the differences of channels a pale skin can turn by a third of what the eye sees.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
# sRGB to CIE XYZ under D65, each row divided by what white has of it.
_SEEN: Final = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
) / np.array([[0.9505], [1.0], [1.0890]], np.float32)
_LIGHT: Final = np.linalg.inv(_SEEN).astype(np.float32)
# Below it the cube root is continued by a straight line.
_DARK: Final = 6 / 29


def lab(pixels: Picture) -> tuple[NDArray[np.float32], NDArray[np.complex64]]:
    """Lightness of 0..100, and a + ib, of sRGB in 0..1 with the channels last."""
    linear = np.where(pixels > 0.04045, ((pixels + 0.055) / 1.055) ** 2.4, pixels / 12.92)
    seen = linear @ _SEEN.T
    root = np.where(seen > _DARK**3, np.cbrt(seen), seen / (3 * _DARK**2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    hue = 500 * (x - y) + 1j * (200 * (y - z))
    return np.asarray(116 * y - 16, dtype=np.float32), np.asarray(hue, dtype=np.complex64)


def srgb(light: NDArray[np.float32], hue: NDArray[np.complex64]) -> Picture:
    """The nearest colour that there is, in 0..1."""
    y = (light + 16) / 116
    root = np.stack([y + hue.real / 500, y, y - hue.imag / 200], axis=-1)
    seen = np.where(root > _DARK, root**3, 3 * _DARK**2 * (root - 4 / 29))
    linear = np.clip(seen @ _LIGHT.T, 0, 1)
    bright = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear > 0.0031308, bright, 12.92 * linear), dtype=np.float32)
