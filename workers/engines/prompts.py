"""The words that are put to a prompting engine: how a style looks, and that a person stays.

Owns the templates and the cleaning of people's own words. Refuses words that are too long, hands
none of them to a log, an exception or a cache, and never asks for a person to be improved.

How they are written, and why:

- They say what is to stay, never what is not to happen: a model that reads "do not lighten the
  skin" has read "lighten the skin".
- What makes a face this person's is named part by part, because "keep the identity" alone lets
  a model keep the rough shape and rejuvenate the rest. Age and skin tone stand first; they are
  what such models change most often.
- A look names materials, light and background, and no body: no beauty, no youth, no build, no
  make-up, no gender, no origin; a test looks for such words.
- Glasses, head coverings, hearing aids and scars are part of the person.

Whether a real model obeys was not measured: no published weights were at hand where this was
written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from workers.engines.base import CannotPaint

KEEP: Final = (
    "It is unmistakably the same person at the same age and with the same skin tone, as in the"
    " photo: the same face shape and proportions, the same eyes, eyebrows, nose, lips, teeth, ears,"
    " jaw and build, the same lines, wrinkles, freckles, moles, birthmarks and scars, the same hair"
    " colour, texture and hairline, the same facial hair, and the same glasses, head covering,"
    " hearing aid or jewellery where the photo shows them."
)

LOOKS: Final[dict[str, str]] = {
    "studio": "a studio portrait photograph, large soft key light from one side, plain warm grey"
    " backdrop, 85 mm lens, natural skin texture",
    "headshot": "a head-and-shoulders photograph for a work profile, even daylight, plain light"
    " background slightly out of focus, everyday clothes, natural skin texture",
    "daylight": "a photograph outdoors in open shade, green foliage far out of focus behind,"
    " natural colours, natural skin texture",
    "evening": "a photograph in a street at dusk, lit by a shop window, coloured lights far out of"
    " focus behind, true skin colour",
    "monochrome": "a black-and-white photograph on fine-grained film, side light, dark plain"
    " background, full range of tones with open shadows",
    "film": "a photograph on colour negative film, window light, gentle grain, muted natural"
    " colours",
    "pencil": "a graphite pencil drawing on white cartridge paper, hatching that follows the form,"
    " tone of the skin rendered by the density of the hatching",
    "ink": "a pen-and-ink drawing on white paper, fine cross-hatching, black ink only, tone of the"
    " skin rendered by the density of the lines",
    "watercolour": "a watercolour on cold-pressed paper, transparent layered washes, soft edges in"
    " the background and a clear drawing of the face, true skin colour",
    "oil": "an oil painting on canvas, visible directional brush strokes, dark plain ground, one"
    " light from the upper left, true skin colour",
    "pastel": "a soft pastel drawing on toned paper, broken strokes of layered colour, paper grain"
    " showing through, true skin colour",
    "gouache": "a gouache illustration, flat opaque shapes with few tones, plain coloured"
    " background, true skin colour",
    "comic": "a comic panel with clean black outlines and flat colours, three tones for each"
    " surface, plain bright background, true skin colour",
    "storybook": "an illustration for a storybook in coloured pencil and watercolour, a quiet"
    " garden behind, proportions as in life, true skin colour",
    "linocut": "a linocut print in black on cream paper, bold carved lines, tone of the skin"
    " rendered by the spacing of the cuts",
    "mosaic": "a mosaic of small stone tiles laid along the form of the face, gold ground, true"
    " skin colour",
    "glass": "a stained-glass window, dark leading along the outlines, clear colours lit from"
    " behind, true skin colour",
    "poster": "a screen-printed poster in four flat inks, large simple shapes, plain background",
}
STYLES: Final = tuple(LOOKS)

# What words of a person's may hold; the public interface is stricter.
LONGEST: Final = 1000
# The marks by which tokenisers tell who speaks and where a picture stands.
_MARKS = re.compile(r"<\|.*?\|>|<\||\|>|</?think>|</?tool[^>]*>|</?s>|\[/?INST\]", re.IGNORECASE)


def clean(words: str | None) -> str:
    """A person's words on one line and without marks that a tokeniser obeys. Raises CannotPaint."""
    text = unicodedata.normalize("NFC", words or "")
    if len(text) > LONGEST:
        raise CannotPaint(f"There are more than {LONGEST} characters of words.")
    while (stripped := _MARKS.sub(" ", text)) != text:
        text = stripped
    kept = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return " ".join(kept.split())


def _sentence(words: str) -> str:
    return words if not words or words[-1] in ".!?…" else f"{words}."


def identity(style: str, words: str | None = None) -> str:
    """A portrait of the person in the photos."""
    asked = _sentence(clean(words))
    # What is too long for the model loses its end, and that may not be what keeps the person.
    parts = (f"Make the person in the photos the subject of {LOOKS[style]}.", KEEP, asked)
    return " ".join(filter(None, parts))


def text(style: str, words: str | None) -> str:
    """A picture of nobody, from words. Raises CannotPaint without any."""
    subject = clean(words)
    if not subject:
        raise CannotPaint("A picture from words needs words.")
    return f"{_sentence(subject)} Rendered as {LOOKS[style]}."


def describe(choices: Iterable[tuple[str, str]], words: str) -> str:
    """What somebody chose, as a sentence about nobody in particular, and then their own words."""
    chosen = {name: value.replace("_", " ") for name, value in choices}
    said = (
        f"A {chosen['camera']} portrait of one adult, {_an(chosen['subject'])}, with"
        f" {chosen['skin']} skin and {chosen['hair_colour']} hair ({chosen['hair']}), with a"
        f" {chosen['expression']} expression, wearing a {chosen['clothing']}, in"
        f" {chosen['light']} light, before a {chosen['background']} background."
    )
    return " ".join(filter(None, (said, clean(words))))


def _an(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def edit(style: str, words: str | None) -> str:
    """One change to a picture; without words, the same picture in another style."""
    asked = clean(words)
    if not asked:
        return f"Render this same picture as {LOOKS[style]}. The composition stays. {KEEP}"
    return f"Everything in the picture but one thing stays as it is. {KEEP} The one change: {asked}"


def fill(words: str | None) -> str:
    """What is to stand inside a mask; around it nothing is painted. Raises CannotPaint."""
    asked = clean(words)
    if not asked:
        raise CannotPaint("A masked change needs words that say what is to be there.")
    return (
        "Fill the marked area so that it continues the light, colour and texture around it."
        f" {KEEP} In the marked area: {asked}"
    )


def fixed() -> tuple[str, ...]:
    """Every prompt without a person's words in it: these alone may be kept between orders."""
    return tuple(make(style, None) for make in (identity, edit) for style in STYLES)
