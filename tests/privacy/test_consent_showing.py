"""Shown and signed are two things: nobody signs what they were not shown, or what is not theirs."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from privacy import consent, retention
from privacy.errors import ConsentOutdated, DocumentForeign, NotShown, OwnerErased
from privacy.models import Consent, ConsentDocument, ConsentServing
from privacy.retention import Term
from tests.portraits.making import NAME, now, person, sign, text

PURPOSE = consent.Purpose.GENERATION


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def unseen(who: uuid.UUID, language: str = "en") -> ConsentDocument:
    return consent.documents(PURPOSE, language, consent.region_of(who))[0]


def moved(who: uuid.UUID, region: str) -> None:
    User.objects.filter(pk=who).update(region=region)


def test_a_text_that_was_never_shown_cannot_be_signed() -> None:
    who = person()
    with pytest.raises(NotShown):
        consent.grant(who, unseen(who).pk, NAME, "tests/1", now())
    assert not Consent.objects.filter(subject_id=who).exists()


def test_what_another_person_or_in_another_language_was_shown_does_not_count() -> None:
    who, other = person(), person()
    text(other)
    text(who, language="de")
    text(who, consent.Purpose.KEEPING)
    with pytest.raises(NotShown):
        consent.grant(who, unseen(who).pk, NAME, "tests/1", now())


def test_the_entry_says_when_the_text_was_last_shown_and_until_when_it_holds() -> None:
    who, at = person(), now()
    document = unseen(who)
    for earlier in (timedelta(days=3), timedelta(minutes=7), timedelta(hours=2)):
        consent.serve(who, [document], at - earlier)
    entry = consent.grant(who, document.pk, NAME, "tests/1", at)
    row = Consent.objects.get(pk=entry.pk)
    assert row.shown_at == at - timedelta(minutes=7)
    assert row.expires_at == at + timedelta(days=document.valid_days)


def test_a_showing_counts_no_longer_than_it_is_kept_and_not_before_it_was() -> None:
    who, at = person(), now()
    document = unseen(who)
    consent.serve(who, [document], at - retention.term(Term.SERVING))
    consent.serve(who, [document], at + timedelta(seconds=5))
    with pytest.raises(NotShown):
        consent.grant(who, document.pk, NAME, "tests/1", at)


def test_the_same_showing_is_noted_once_in_a_minute() -> None:
    who, at = person(), now()
    shown = consent.documents(language="en", region="other")
    for later in (0, 1, 59, 61):
        consent.serve(who, shown, at + timedelta(seconds=later))
    noted = ConsentServing.objects.filter(subject_id=who, document=shown[0])
    assert sorted(row.at for row in noted) == [at, at + timedelta(seconds=61)]
    assert str(who) not in str(noted[0])


@pytest.mark.parametrize("region", ["us_il", "us_tx", "us_wa", "us_ca", "eu_uk"])
def test_nobody_signs_the_text_of_another_region(region: str) -> None:
    who, at = person(), now()
    foreign = consent.documents(PURPOSE, "en", region)[0]
    consent.serve(who, [foreign], at)
    assert not ConsentServing.objects.filter(subject_id=who).exists()
    # Even where a row says that it was shown.
    ConsentServing.objects.create(subject_id=who, document=foreign, at=at)
    with pytest.raises(DocumentForeign):
        consent.grant(who, foreign.pk, NAME, "tests/1", now())
    moved(who, region)
    assert sign(who).document.region == region


def test_who_moves_signs_the_text_of_where_they_live_now() -> None:
    who = person()
    sign(who)
    moved(who, "us_il")
    with pytest.raises(ConsentOutdated):
        consent.require(who, now())
    assert sign(who).document.region == "us_il"
    assert consent.require(who, now())


def test_nothing_is_shown_to_somebody_who_does_not_exist() -> None:
    with pytest.raises(OwnerErased):
        consent.serve(uuid.uuid4(), consent.documents(region="other"), now())
    with pytest.raises(OwnerErased):
        consent.region_of(uuid.uuid4())
