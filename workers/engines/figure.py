"""A head and shoulders that is nobody's, drawn from choices: subject, hair, clothes, light …

Owns what each choice of a prompt means in a picture. It is where a portrait from words begins in an
engine that reads none, and what styles are tried on. No photo and no likeness of anyone is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from PIL import Image

from portraits.prompts import CHOICES
from workers.engines import dress, features
from workers.engines.canvas import blur
from workers.engines.features import Face, Lamp, Picture, Plane, bump, edge, over, rgb

# What is drawn where nobody chose.
UNASKED: Final = {name: values[0] for name, values in CHOICES.items()}
# Drawn larger and scaled down: the cheapest even antialiasing there is.
OVER: Final = 2
LARGEST: Final = 1400
# So many rows are given their features at once.
ROWS: Final = 64

SKIN: Final = {
    "very_light": (0.95, 0.77, 0.68),
    "light": (0.90, 0.69, 0.57),
    "medium": (0.83, 0.61, 0.47),
    "tan": (0.73, 0.51, 0.37),
    "brown": (0.53, 0.345, 0.24),
    "dark": (0.355, 0.225, 0.16),
}
SUBJECT: Final[Mapping[str, Mapping[str, float]]] = {
    "person": {"full": 0.95, "heavy": 0.30},
    "woman": {"full": 1.30, "heavy": -0.15},
    "man": {"heavy": 0.85, "full": 0.72},
    "older_woman": {"full": 0.95, "heavy": -0.10, "lines": 0.85},
    "older_man": {"heavy": 0.75, "full": 0.62, "lines": 1.0},
}
EXPRESSION: Final[Mapping[str, Mapping[str, float]]] = {
    "calm": {"smile": 0.3},
    "smile": {"smile": 1.35, "squint": 0.22},
    "serious": {"smile": -0.15, "frown": 0.35},
    "thoughtful": {"smile": 0.12, "frown": 0.15},
    "laugh": {"smile": 1.5, "open": 1.0, "squint": 0.5},
}
LIGHT: Final = {
    "soft": Lamp(),
    "window": Lamp((-0.80, -0.18, 0.50), 0.10, 0.22, 0.88, (0.97, 1.0, 1.04)),
    "golden": Lamp((0.62, -0.30, 0.66), 0.14, 0.24, 0.86, (1.10, 0.97, 0.80)),
    "dramatic": Lamp((-0.92, -0.34, 0.28), 0.03, 0.10, 1.02, (1.02, 0.99, 0.96)),
    "cool": Lamp((0.42, -0.52, 0.70), 0.18, 0.24, 0.78, (0.88, 0.97, 1.12)),
}
# Heads that the picture is high, and where the middle of the face stands in it.
CAMERA: Final = {
    "headshot": (1.24, 0.47),
    "head_and_shoulders": (1.60, 0.43),
    "half_body": (2.30, 0.32),
}


@dataclass(frozen=True)
class Look:
    """Everything that is drawn."""

    face: Face = field(default_factory=Face)
    hair: str = "long"
    hair_colour: tuple[float, ...] = dress.HAIR["brown"]
    clothing: str = "sweater"
    background: str = "warm"
    lamp: Lamp = features.SOFT
    tall: float = 1.56
    line: float = 0.423
    # How far the features are turned to one side, in heads.
    turn: float = 0.0


# On whom styles are tried (deploy/models/previews.py).
NOBODY: Final = Look()


def chosen(choices: Mapping[str, str], seed: int) -> Look:
    """What somebody asked for; the seed varies what they left open."""
    choices = {**UNASKED, **choices}
    rng = np.random.default_rng([seed, 7])
    hair = dress.HAIR[choices["hair_colour"]]
    thoughtful = choices["expression"] == "thoughtful"
    gaze = (0.016, -0.008) if thoughtful else (float(rng.uniform(-0.004, 0.004)), 0.0)
    made = Face(
        skin=SKIN[choices["skin"]],
        brow=tuple(0.55 * part + 0.02 for part in hair),  # type: ignore[arg-type]
        iris=_IRIS[int(rng.integers(len(_IRIS)))],
        gaze=gaze,
        **SUBJECT[choices["subject"]],
        **EXPRESSION[choices["expression"]],
    )
    made = replace(
        made,
        full=made.full * float(rng.uniform(0.88, 1.12)),
        heavy=made.heavy + float(rng.uniform(0.0, 0.18)),
    )
    tall, line = CAMERA[choices["camera"]]
    return Look(
        face=made,
        hair=choices["hair"],
        hair_colour=hair,
        clothing=choices["clothing"],
        background=choices["background"],
        lamp=LIGHT[choices["light"]],
        tall=tall * float(rng.uniform(0.97, 1.03)),
        line=line,
        turn=float(rng.uniform(-0.022, 0.022)),
    )


_IRIS: Final = (
    (0.30, 0.20, 0.12),
    (0.22, 0.14, 0.09),
    (0.30, 0.38, 0.42),
    (0.33, 0.36, 0.20),
)


def draw(look: Look, size: tuple[int, int], seed: int = 20) -> Image.Image:
    """The figure; both sides in pixels."""
    rng = np.random.default_rng(seed)
    width, height = size
    finer = min(OVER, max(1.0, LARGEST / max(size)))
    wide, high = round(width * finer), round(height * finer)
    rows, columns = np.mgrid[0:high, 0:wide].astype(np.float32)
    unit = min(high, wide * 1.3) / look.tall
    x = ((columns - wide / 2) / unit).astype(np.float32)
    y = ((rows - high * look.line) / unit).astype(np.float32)
    del rows, columns
    tint = rgb(*look.lamp.tint)
    picture = dress.behind(x, y, rng, look.background)
    back, fringe, hair = dress.hair(x, y, rng, look.hair, look.hair_colour)
    picture = over(picture, hair * 0.62 * tint, back)
    picture = _throat(picture, x, y, look)
    picture = dress.clothes(picture, x, y, rng, look.clothing)
    picture = _face(picture, x, y, look, unit, fringe)
    picture = over(picture, hair * tint, fringe)
    picture = np.asarray(picture * (0.35 + 0.65 * tint), np.float32)
    done = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return done.resize(size, Image.Resampling.LANCZOS)


def _throat(picture: Picture, x: Plane, y: Plane, look: Look) -> Picture:
    thick = 0.135 + 0.035 * look.face.heavy
    neck = np.maximum(np.abs(x) - thick - 0.20 * np.clip(y - 0.38, 0, 1) ** 1.2, 0.1 - y)
    slope = 0.47 + 0.42 * np.abs(x) ** 1.9
    chest = np.maximum(slope - y, np.abs(x) - 0.5)
    skin = np.minimum(np.maximum(neck, y - 0.70), np.maximum(chest, y - 0.95))
    side = np.sign(look.lamp.key[0])
    shadow = 0.88 - 0.42 * np.exp(-((np.clip(y - 0.29, 0, 1) / 0.12) ** 2)) + 0.45 * side * x
    colour = rgb(*look.face.skin) * np.clip(shadow, 0.3, 1.05)[..., None] * rgb(*look.lamp.tint)
    return over(picture, np.asarray(colour, np.float32), edge(skin.astype(np.float32)))


def _skin(u: Plane, v: Plane, look: Look, unit: float) -> Picture:
    """The head's, by its lamp, with flushed cheeks."""
    made = look.face
    light = blur(features.lit(features.relief(u, v, made), unit, look.lamp), unit / 192)
    skin = rgb(*made.skin) * (light * 1.10)[..., None]
    skin *= rgb(*look.lamp.tint)
    flush = np.sum([bump(u, v, (at, 0.09), (0.07, 0.05), 1) for at in (-0.17, 0.17)], axis=0)
    skin *= 1 - flush[..., None] * rgb(-0.02, 0.09, 0.08)
    return np.asarray(skin, np.float32)


def _face(
    picture: Picture,
    x: Plane,
    y: Plane,
    look: Look,
    unit: float,
    fringe: Plane,
) -> Picture:
    made = look.face
    # The features fill a little more of the head than they were modelled at.
    u, v = (x - look.turn) / 1.13, (y + 0.03) / 1.13
    skin = _skin(u, v, look, unit)
    painted = skin.copy()
    # Lines of ink ask no neighbour, and take a dozen planes.
    for top in range(0, len(painted), ROWS):
        some = slice(top, top + ROWS)
        at = (u[some], v[some], made)
        painted[some] = features.mouth(features.eyes(features.aged(painted[some], *at), *at), *at)
    outline = edge(features.head(x, y, made), 0.002)
    if look.hair in ("short", "bun", "shaved"):
        for side in (-1, 1):
            ear = features.oval(x, y, (side * 0.312, -0.02), (0.042, 0.085))
            shade = skin * (0.86 - 0.25 * np.exp(-((ear / 0.015) ** 2)))[..., None]
            picture = over(picture, np.asarray(shade, np.float32), edge(ear, 0.003))
    picture = over(picture, painted, outline)
    del u, v, skin, painted
    cast = blur(fringe, unit / 29) * outline * (1 - fringe)
    return over(picture, picture * rgb(0.55, 0.45, 0.42), np.asarray(cast * 0.8, np.float32))
