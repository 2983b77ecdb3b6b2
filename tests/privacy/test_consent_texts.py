"""The consent texts: one for each purpose, region and language; fixed, complete, and true."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Region
from privacy import consent, release, retention
from privacy.migrations import _texts_2
from privacy.models import ConsentDocument
from privacy.retention import DEADLINES, Kind, Term

TEXTS = list(_texts_2.texts())
LAWS = {
    "us_il": ("740 ILCS 14", "15(a)", "15(b)", "15(c)"),
    "us_tx": ("503.001",),
    "us_wa": ("RCW 19.373", "Attorney General"),
    "us_ca": ("1798.121", "1798.120"),
    "eu_uk": ("9(2)(a)", "7(3)", "Information Commissioner"),
    "other": (),
}
GERMAN = {
    "Minuten": "minutes", "Stunden": "hours", "Tage": "days", "Tagen": "days",
    "Monate": "months", "Jahre": "years",
}  # fmt: skip


def terms_of(text: str, region: str) -> set[str]:
    """Every length of time that a text names outside of the paragraph on the region's law."""
    found = set()
    for block in text.split("\n\n"):
        heading = block.split("\n")[0]
        if any(heading == words.REGIONS[region][0] for words in _texts_2.LANGUAGES.values()):
            continue
        for number, unit in re.findall(r"(\d+) ([A-Za-z]+)", block):
            unit = GERMAN.get(unit, unit)
            if unit in GERMAN.values():
                found.add(f"{number} {unit}")
    return found - {"18 years"}  # an age, and no length of time


def hours(length: timedelta) -> str:
    return f"{int(length.total_seconds() // 3600)} hours"


def held() -> dict[str, set[str]]:
    """What retention.py says, in the words of the texts."""
    upload, reference = DEADLINES[Kind.UPLOAD].cap, DEADLINES[Kind.REFERENCE]
    assert retention.term(Term.CONSENT) == retention.term(Term.EVIDENCE)
    both = {
        hours(reference.default),
        f"{_texts_2.VALID_DAYS} days",
        f"{retention.term(Term.FLEET_SEED).days} days",
        f"{retention.term(Term.EVIDENCE).days // 365} years",
    }
    return {
        "portrait-generation": both
        | {
            f"{int(upload.total_seconds() // 60)} minutes",
            f"{DEADLINES[Kind.PORTRAIT].default.days} days",
            f"{DEADLINES[Kind.PORTRAIT].cap.days // 30} months",
            f"{retention.term(Term.ROOT_EPOCH).days} days",
        },
        "reference-keeping": both | {f"{reference.cap.days} days"},
    }


def test_there_is_one_for_each_purpose_region_and_language_and_none_beside() -> None:
    want = {
        (purpose, region, language)
        for purpose in consent.Purpose.values
        for region in Region.values
        for language in ("en", "de")
    }
    assert len(want) == 24
    assert {(purpose, region, language) for purpose, region, language, _, _ in TEXTS} == want
    published = ConsentDocument.objects.filter(version=2, retired_at=None)
    assert {(row.purpose, row.region, row.language) for row in published} == want


def test_what_is_published_is_what_was_frozen() -> None:
    for purpose, region, language, text, sha256 in TEXTS:
        row = ConsentDocument.objects.get(
            purpose=purpose, region=region, language=language, version=2
        )
        assert (row.text, row.sha256) == (text, sha256)
        assert hashlib.sha256(row.text.encode()).hexdigest() == row.sha256
        assert row.valid_days == _texts_2.VALID_DAYS


def test_an_edit_after_publication_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    words: Any = _texts_2.LANGUAGES["de"]
    changed = (words.RELEASE[0], words.RELEASE[1].replace("nichts anderes", "manches andere"))
    monkeypatch.setattr(words, "RELEASE", changed)
    with pytest.raises(ValueError, match="was edited"):
        list(_texts_2.texts())


def test_the_first_texts_are_retired() -> None:
    first = ConsentDocument.objects.filter(version=1, published_at__isnull=False, region="other")
    known = first.filter(language__in=["en", "de"], purpose="portrait-generation")
    assert known.count() == 2
    assert not known.filter(retired_at=None).exists()


@pytest.mark.parametrize(("purpose", "region", "language", "text", "sha256"), TEXTS)
def test_each_tells_the_terms_that_the_sweeps_keep(
    purpose: str, region: str, language: str, text: str, sha256: str
) -> None:
    assert terms_of(text, region) == held()[purpose]


def test_a_term_that_differs_would_be_noticed() -> None:
    purpose, region, _, text, _ = TEXTS[0]
    assert terms_of(text.replace("24 hours", "48 hours"), region) != held()[purpose]


@pytest.mark.parametrize(("purpose", "region", "language", "text", "sha256"), TEXTS)
def test_each_is_a_complete_written_release_under_its_law(
    purpose: str, region: str, language: str, text: str, sha256: str
) -> None:
    assert tuple(release.statements(text)) == release.STATEMENTS[language]
    if language == "en":
        assert all(law in text for law in LAWS[region])
    for other, laws in LAWS.items():
        if other != region:
            assert not any(law in text for law in laws), other
    assert "/v1/privacy/facts" in text
    # Shown on a phone: a paragraph is one line, and the client breaks it.
    assert all(len(block.splitlines()) <= 2 for block in text.split("\n\n"))


def test_no_photo_outlives_the_ceilings_of_the_laws() -> None:
    """Texas: a year behind the purpose. Illinois: three years behind the last interaction."""
    photos = (Kind.UPLOAD, Kind.REFERENCE, Kind.SOURCE)
    assert all(DEADLINES[kind].cap < timedelta(days=365) for kind in photos)
