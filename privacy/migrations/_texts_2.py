"""Consent texts, version 2: how each is put together, and the SHA-256 under which it was published.

The hashes are frozen here, so that an edit of a published text stops the migration and a test.
"""

import hashlib
from collections.abc import Iterator

from privacy.migrations import _texts_2_de, _texts_2_en

VERSION = 2
VALID_DAYS = 365
LANGUAGES = {"en": _texts_2_en, "de": _texts_2_de}
PURPOSES = {"portrait-generation": "GENERATION", "reference-keeping": "KEEPING"}
REGIONS = ("us_il", "us_tx", "us_wa", "us_ca", "eu_uk", "other")


def compose(purpose: str, region: str, language: str) -> str:
    """One whole text: a title, then sections of a heading and a paragraph on one line each."""
    words = LANGUAGES[language]
    sections = (*getattr(words, PURPOSES[purpose]), words.REGIONS[region], words.RELEASE)
    blocks = [f"{heading}\n{' '.join(body.split())}" for heading, body in sections]
    return "\n\n".join((words.TITLES[purpose], *blocks)) + "\n"


def texts() -> Iterator[tuple[str, str, str, str, str]]:
    """(purpose, region, language, text, SHA-256) of all 24. Raises ValueError for an edited one."""
    for purpose in PURPOSES:
        for region in REGIONS:
            for language in LANGUAGES:
                text = compose(purpose, region, language)
                sha256 = hashlib.sha256(text.encode()).hexdigest()
                if FROZEN[purpose, region, language] != sha256:
                    raise ValueError(f"The {language} text {purpose} of {region} was edited.")
                yield purpose, region, language, text, sha256


FROZEN = {
    ("portrait-generation", "us_il", "en"):
        "b90ad185d5c830166254a302f9d2eebe1be3e87d220155e15ff1d872c0786a61",
    ("portrait-generation", "us_il", "de"):
        "a9c2990ab8a42329b49b32d0aaac90130be2371ec961b4435de4e090a58c872b",
    ("portrait-generation", "us_tx", "en"):
        "9a2f8fac565aea8134a4ae3f1864c3501c0e0277539e19229d20a18f2342cb11",
    ("portrait-generation", "us_tx", "de"):
        "a6db58ab8711f7c04252da50f307f97ec06e88ee4dbb41973715d5f2491f84ce",
    ("portrait-generation", "us_wa", "en"):
        "3e2682aa6a1f9531456c3b7bf58f3615e07f81a20f2e931a93efd9f4808e84be",
    ("portrait-generation", "us_wa", "de"):
        "325b40c1d43e783a7863e4fa1f14fe22ba5fcbdcb9c1e7fd21cdc629b80fd57a",
    ("portrait-generation", "us_ca", "en"):
        "6a6f41471067a70219806a0b3b372fbd5fbe49ff239464676514a296b6a54d99",
    ("portrait-generation", "us_ca", "de"):
        "3865cecad76d5788610d6d77e622a99d362ec333985fbc9c0e469674f870e7f5",
    ("portrait-generation", "eu_uk", "en"):
        "cd64ae13185290e3a257a36e63a40528a617bea5e597ae44c31e2693a69c14fd",
    ("portrait-generation", "eu_uk", "de"):
        "26c47bae93ff2e9cb2b8524ccdc56aacd573bcff45442b58fc7c75d724ba4a05",
    ("portrait-generation", "other", "en"):
        "9aa114f925bd30cc83ff77458e3896f8cf08ab09f63a44168937a79ae7b2422f",
    ("portrait-generation", "other", "de"):
        "1f9402ecfc461d2f8c3815764ef641c284af8367e1f9829593853e76a8d85156",
    ("reference-keeping", "us_il", "en"):
        "fda638418c779f61ed39d7df963270246572e9cdf75a1865003b013f79b8d7cd",
    ("reference-keeping", "us_il", "de"):
        "a4a22d8f79b6cdf6c0b64361727f07b0d0fd1854dc2634d58c4fa9242d4dfba8",
    ("reference-keeping", "us_tx", "en"):
        "a0131cdecf15744e6940e969f1ec6620cae0b06b9e813573250fda69ad2a5851",
    ("reference-keeping", "us_tx", "de"):
        "535fb6dfb67cf7f5bd24265daf5cfaaa0d8656801d52ef39addca1b76f1d1252",
    ("reference-keeping", "us_wa", "en"):
        "8dac9ed439e0a99c47bd11602df6cd15ed366590f28528bccfb6046dd4c3c91e",
    ("reference-keeping", "us_wa", "de"):
        "fcd42c2b09af0f63fc8ba03b58cadca617863555c4a12b35406724a26e70fdf6",
    ("reference-keeping", "us_ca", "en"):
        "0dd3591b5eaeda503ee0d708bb033156fde7e8d8ce97d506331d2f657816cf84",
    ("reference-keeping", "us_ca", "de"):
        "730d6fe5c2cb07a4e89b6b085fa96d346512bbb0226657e44be3f2e22d5e03f0",
    ("reference-keeping", "eu_uk", "en"):
        "47539b5b211b7e7646390ac01f61bcb3d419245a0e1da495b70325726d464a9a",
    ("reference-keeping", "eu_uk", "de"):
        "0b934e718510744559f4aebadf42a8375ce6281c1e871c097000ee02829f22cc",
    ("reference-keeping", "other", "en"):
        "7b15a1c79c1efc15270fc12b7f139780f8df61c2f5bfaf6a35c3b72d5df58317",
    ("reference-keeping", "other", "de"):
        "6353fd88e8d933869fadcb948c13afbfd66723323068bc44a3d15d1c5a9eaa4b",
}
