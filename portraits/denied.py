"""Words that no prompt may have. Pure: a list and how a text is compared with it.

The list is short on purpose. It has minors, because all of this is for adults; sexual nudity, which
the gate on finished pictures would hold back anyway; and gore and signs of hatred, which nobody
needs on a portrait. A person who means harm finds other words: the list saves honest people a
picture that is held back, and the gate decides. Words with a common harmless sense (minor, girl,
kind) are left out. Nothing here names or keeps what it found.
"""

import re
import unicodedata
from typing import Final

_WORDS: Final = """
    child children childlike kid kids baby babies toddler toddlers infant infants underage teen
    teens teenage teenager teenagers preteen preteens schoolgirl schoolboy loli lolita shota
    minderjährig säugling kleinkind
    nude nudes nudity naked nsfw topless undressed porn porno pornographic sex sexual erotic
    hentai genitals penis vagina nipple nipples nackt
    gore gory beheaded decapitated mutilated corpse swastika nazi nazis
"""
# Signs that are read as a letter: digits and marks, and Cyrillic and Greek twins of Latin ones.
_TWINS: Final = str.maketrans("013457@$аеорсухіοαε", "oieastasaeopcyxioae")


def found(words: str) -> bool:
    """Whether one of them is in it, however it is written."""
    tokens = re.findall(r"[^\W_]+", _plain(words))
    # Letters that stand apart are read together: "n u d e".
    apart = re.findall(r"(?:\b\w\b ){2,}\w\b", " ".join(tokens))
    joined = [run.replace(" ", "") for run in apart]
    return not _DENIED.isdisjoint(tokens) or any(word in run for run in joined for word in _DENIED)


def _plain(words: str) -> str:
    """Without accents, signs of no width, and case; twins are what they look like."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", words).casefold())
    kept = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "Mn"))
    return kept.translate(_TWINS)


_DENIED: Final = frozenset(_plain(_WORDS).split())
