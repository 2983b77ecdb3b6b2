"""What a portrait keeps of a person: whose face it is, and how light and warm their skin is.

No network judges it, because none that compares faces is allowed here. A face is told from others
by where its edges are, and its skin by its colour, both against the photo that was painted.
"""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from portraits.prompts import CHOICES
from tests.engines import painted
from tests.engines.painted import FACES, SEED, SIZE
from tests.figures import figure
from workers.engines import figure as drawn
from workers.engines import framing
from workers.engines.base import Engine
from workers.engines.bridge import STYLES
from workers.engines.canvas import blur, luminance

Plane = NDArray[np.float32]
# The others print in one or two inks, and give up the colour of skin on purpose.
COLOURED = ("watercolour", "oil", "comic", "pastel", "mosaic")
# Of the framed picture: cheeks, nose and forehead of a head that is framed.
SKIN = (0.38, 0.36, 0.62, 0.58)
LIGHTER, WARMER = 9.0, 16.0
HEADS = 4 if painted.FULL else 2
AS_IT_IS = painted.TONES[0]
_to_lab = ImageCms.buildTransform(
    ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
)


def _told(people: tuple[str, ...], heads: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for number, style in enumerate(STYLES):
        for name in (*painted.by_turns(number, people), *painted.by_turns(number, heads)):
            yield style, name


def _coloured() -> Iterator[tuple[str, str]]:
    for style in COLOURED:
        for name in painted.by_turns(STYLES.index(style), tuple(FACES)):
            yield style, name


def skin_of(picture: Image.Image) -> tuple[float, float]:
    """(lightness, hue in degrees) of the middle of the face."""
    box = [round(part * side) for part, side in zip(SKIN, (*SIZE, *SIZE), strict=True)]
    piece = picture.crop((box[0], box[1], box[2], box[3])).resize((24, 24), Image.Resampling.BOX)
    lab = np.asarray(ImageCms.applyTransform(piece, _to_lab), dtype=np.int16)
    # The library packs a and b into bytes of two's complement.
    light = float(np.median(lab[..., 0])) * 100 / 255
    a, b = (float(np.median(((lab[..., k] + 128) % 256) - 128)) for k in (1, 2))
    return light, math.degrees(math.atan2(b, a))


def edges(picture: Image.Image) -> Plane:
    """Where a face has lines, softly, so that a stroke beside its place still counts."""
    light = luminance(np.asarray(picture, dtype=np.float32) / np.float32(255))
    high, wide = light.shape
    middle = light[int(0.26 * high) : int(0.72 * high), int(0.27 * wide) : int(0.73 * wide)]
    down, across = np.gradient(blur(middle, 2.5))
    strength = blur(np.hypot(down, across).astype(np.float32), 3.0)
    found = strength - strength.mean()
    return np.asarray(found / (np.linalg.norm(found) + 1e-9), dtype=np.float32)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_portrait_is_nearest_to_the_photo_that_it_was_painted_from(
    pocket: Engine, paint: painted.Paint
) -> None:
    chance = np.random.default_rng(SEED)
    people = {name: (name, *AS_IT_IS) for name in FACES}
    photos = {
        name: framing.frame(painted.photo(person), FACES[name], SIZE, SEED)
        for name, person in people.items()
    }
    heads: dict[str, Image.Image] = {}
    for number in range(HEADS):
        choices = {name: str(chance.choice(list(values))) for name, values in CHOICES.items()}
        choices["camera"] = "head_and_shoulders"
        look = drawn.chosen(choices, int(chance.integers(2**31)))
        heads[f"drawn {number}"] = drawn.draw(look, SIZE)
    photos |= {name: framing.frame(head, None, SIZE, SEED) for name, head in heads.items()}
    known = {name: edges(picture) for name, picture in photos.items()}
    wrong, margins = [], []
    for style, name in _told(tuple(people), tuple(heads)):
        if name in people:
            portrait = paint(style, people[name], SEED)
        else:
            portrait = painted.render(pocket, style, heads[name], None)
        found = edges(portrait)
        alike = {other: float((found * plane).sum()) for other, plane in known.items()}
        own = alike.pop(name)
        margins.append(own - max(alike.values()))
        if margins[-1] <= 0:
            wrong.append(f"{style}, {name}")
    n = len(margins)
    figure(
        "face-told",
        value=f"{n - len(wrong)} of {n}",
        n=n,
        holds=not wrong,
        conditions=f"every pocket style on two people and {HEADS} drawn heads{painted.TURNS}"
        f" {SIZE[0]} by {SIZE[1]}: whose photo has the most like edges in the middle of the face;"
        f" the smallest lead {min(margins):.2f} of a correlation, the median"
        f" {np.median(margins):.2f}",
    )
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_skin_stays_as_light_and_as_warm_as_it_was(paint: painted.Paint) -> None:
    darker, cooler, out_of_order, n = [], [], [], 0
    for style, name in _coloured():
        focus, lights = FACES[name], []
        for tone in painted.TONES:
            person = (name, *tone)
            before = skin_of(framing.frame(painted.photo(person), focus, SIZE, SEED))
            after = skin_of(paint(style, person, SEED))
            turn = (after[1] - before[1] + 180) % 360 - 180
            lights.append((before[0], after[0]))
            darker.append(after[0] - before[0])
            cooler.append(turn)
            n += 1
        by_photo = [painted for _, painted in sorted(lights)]
        if by_photo != sorted(by_photo):
            out_of_order.append(f"{style}, {name}")
    worst_light, worst_hue = max(map(abs, darker)), max(map(abs, cooler))
    holds = not out_of_order and worst_light <= LIGHTER and worst_hue <= WARMER
    figure(
        "skin-kept",
        value=f"lightness within {worst_light:.1f}, hue within {worst_hue:.0f} degrees",
        n=n,
        holds=holds,
        conditions=f"CIELAB median of the middle of the face, {len(COLOURED)} coloured styles"
        f" on two people{painted.TURNS} in {len(painted.TONES)} skin tones made by recolouring; on"
        f" the mean {np.mean(darker):+.1f} in lightness, {np.mean(cooler):+.1f} degrees in hue;"
        f" tones in another order than before: {len(out_of_order)}",
    )
    assert out_of_order == []
    assert worst_light <= LIGHTER
    assert worst_hue <= WARMER
