"""What is published is what is done: every number, every role, every proof that is named."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import get_commands
from django.urls import resolve

from deploy.env import ROOT, Role
from privacy import keys, labels, policy, retention, terms, vault
from privacy.answers import ANSWERS, DELETIONS
from privacy.audit import Reason
from privacy.checks import HELD
from privacy.errors import DeadlineRefused, PrivacyError
from privacy.inventory import TABLES, End
from privacy.models import Blob, Erasure
from privacy.pages import WORDS, context
from privacy.parts import parts
from privacy.plain import Plain
from privacy.retention import DEADLINES, FACE_CLAIM_ANSWER, TERMS, Kind, Rule, Term
from privacy.wording import length, lengths
from tests.portraits.making import now, owner, written

MARGIN = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def web(born: Any) -> Any:
    """Everything here begins as the web."""
    return born


def test_the_published_deadline_of_each_kind_is_the_one_that_its_blobs_get() -> None:
    facts = {row["what"]: row for row in policy.facts()["how_long"]}
    assert set(facts) == {kind.name.lower() for kind in Kind}
    who = owner()
    differing = []
    for kind in Kind:
        blob = written(kind, who, b"whatever")
        row = facts[kind.name.lower()]
        if (blob.expires_at - blob.created_at).total_seconds() != row["default_seconds"]:
            differing.append(kind)
        far = blob.created_at + timedelta(days=10_000)
        draft = vault.draft(kind, who, Plain(b"x"), blob.created_at, expires_at=far)
        longest = Blob.objects.get(pk=draft.blob_id).expires_at - blob.created_at
        if longest.total_seconds() != row["longest_seconds"]:
            differing.append(kind)
    assert differing == []


def test_no_deadline_can_be_moved_past_what_is_published() -> None:
    who = owner()
    for row in policy.facts()["how_long"]:
        blob = written(Kind[row["what"].upper()], who, b"whatever")
        past = blob.created_at + timedelta(seconds=row["longest_seconds"] + 1)
        with pytest.raises(DeadlineRefused):
            vault.move_deadline(Blob.objects.filter(pk=blob.pk), past, now())


def test_every_term_is_published_with_the_value_that_the_sweeps_read() -> None:
    facts = {row["what"]: row["default_seconds"] for row in policy.facts()["how_long_else"]}
    assert facts == {what.value: retention.term(what).total_seconds() for what in Term}
    swept = {ending.term for ending in terms.endings}
    assert swept <= {Term(what) for what in facts}
    assert len(swept) > 8


def test_a_changed_deadline_is_published_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEADLINES, Kind.UPLOAD, Rule(timedelta(hours=5), timedelta(hours=6), "."))
    monkeypatch.setitem(TERMS, Term.JOB, Rule(timedelta(days=3), timedelta(days=3), "."))
    facts = policy.facts()
    (upload,) = [row for row in facts["how_long"] if row["what"] == "upload"]
    (job,) = [row for row in facts["how_long_else"] if row["what"] == "job"]
    assert (upload["default_seconds"], upload["longest_seconds"]) == (18_000, 21_600)
    assert job["default_seconds"] == 3 * 86_400
    assert "5 hours" in str(context("en")["kinds"][0])
    assert "5 Stunden" in str(context("de")["kinds"][0])


def test_what_outlives_is_published_with_its_term_and_nothing_else_outlives() -> None:
    kept = policy.facts()["kept_after_erasure"]
    tables = [table for table in TABLES if table.end is End.OUTLIVES]
    assert [row["what"] for row in kept] == [table.holds for table in tables]
    for row, table in zip(kept, tables, strict=True):
        assert isinstance(table.kept, Term)
        assert row["seconds"] == retention.term(table.kept).total_seconds()
    assert {table.kept for table in tables} | {Term.RESTORE} == set(policy.outlives())


def test_the_processors_of_this_installation_are_named(settings_of: Any) -> None:
    assert policy.facts()["who_sees"]["outside"] == []
    assert context("en")["nobody"] == "Nobody"
    somebody = [{"name": "Example Cloud", "does": "runs the machines", "region": "eu-central-1"}]
    settings_of(PROCESSORS=somebody, CONTACT="privacy@example.org")
    assert policy.facts()["who_sees"]["outside"] == somebody
    assert policy.facts()["complaints"]["contact"] == "privacy@example.org"
    assert context("de")["cards"][-1]["figure"] == "1"


def test_every_role_is_published_with_what_it_can_open_and_no_role_can_open_everything() -> None:
    opens = policy.who_opens()
    assert set(opens) == {str(role) for role in Role} | {"staff"}
    assert set(HELD) <= set(opens)
    every = {kind.name.lower() for kind in Kind} | {policy.SIGNATURE}
    for role, kinds in opens.items():
        assert not every <= set(kinds), role
    assert set(opens["web"]) & set(opens["gpu"]) == set()
    assert opens["upkeep"] == opens["beat"] == opens["staff"] == []
    # All that is ever sealed can be opened by somebody, or it would be of no use.
    assert {kind for kinds in opens.values() for kind in kinds} >= every


@pytest.mark.parametrize("dressed", ["web", "intake", "gpu", "upkeep", "keeper"])
def test_a_role_opens_what_is_published_and_nothing_else(web: Any, dressed: str) -> None:
    who = owner()
    blobs = {kind: written(kind, who, b"whatever") for kind in Kind}
    web(dressed)
    opened = []
    for kind, blob in blobs.items():
        try:
            vault.read(blob.pk, now(), why=Reason.PROOF)
        except PrivacyError:
            continue
        opened.append(kind.name.lower())
    named = {kind.name.lower() for kind in Kind}
    assert set(opened) == set(policy.who_opens()[dressed]) & named


@pytest.mark.parametrize("dressed", ["web", "intake", "gpu", "upkeep", "keeper"])
def test_only_the_keeper_opens_signatures(web: Any, dressed: str) -> None:
    web(dressed)
    label = str(now().year)
    published = policy.SIGNATURE in policy.who_opens()[dressed]
    try:
        keys.evidence_seed(label)
    except PrivacyError:
        assert not published
    else:
        assert published


def test_the_proofs_that_are_named_exist() -> None:
    named = {proof for answer in ANSWERS.values() for proof in answer.proof}
    named |= {call for call, _, _ in DELETIONS.values()}
    named |= {policy.facts()["copy"], policy.facts()["complaints"]["face_report"]}
    assert len(named) > 15
    targets = re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    missing = []
    for proof in sorted(named):
        program, _, rest = proof.partition(" ")
        if program == "make":
            found = rest in targets
        elif program == "pytest":
            found = (ROOT / rest).is_file()
        elif program == "manage.py":
            found = rest in get_commands()
        else:
            path = rest.partition(" ")[0].replace("{id}", str(uuid.uuid4()))
            match = resolve(path.replace("{slot}", "front"))
            found = hasattr(match.func.cls, program.lower())  # type: ignore[attr-defined]
        if not found:
            missing.append(proof)
    assert missing == []


def test_every_scope_of_an_erasure_says_how_it_is_asked_for() -> None:
    assert set(parts) | {Erasure.Scope.ACCOUNT} <= set(Erasure.Scope)
    asked = {
        Erasure.Scope.PHOTO: "one_photo",
        Erasure.Scope.SET: "one_set",
        Erasure.Scope.PORTRAIT: "one_portrait",
        Erasure.Scope.BIOMETRIC: "everything_that_shows_you",
        Erasure.Scope.ACCOUNT: "everything",
    }
    assert set(asked) == set(Erasure.Scope)
    assert set(asked.values()) <= set(policy.facts()["delete"])


def test_there_is_no_licence_no_training_and_no_sale() -> None:
    facts = policy.facts()
    assert facts["licence"] == {"in_your_pictures": None, "marketing": False, "sold": False}
    assert facts["training"]["on_your_photos"] is False
    assert not [p for p in facts["training"]["purposes_that_can_be_consented_to"] if "train" in p]
    assert facts["sale_of_the_company"] == {"moves_without_new_consent": False}
    answer = facts["complaints"]["face_report_answer_seconds"]
    assert answer == FACE_CLAIM_ANSWER.total_seconds()


def test_what_cannot_be_promised_is_said_with_the_numbers_of_here(settings_of: Any) -> None:
    settings_of(COMPACT_EVERY=timedelta(hours=36))
    said = " ".join(policy.facts()["cannot_promise"])
    assert "one machine under one user" in said
    assert "36 hours" in said
    assert length(retention.term(Term.ROOT_EPOCH)) in said
    assert not re.search(r"\{\w+\}", said.replace("{id}", ""))


def test_everything_has_a_name_in_both_languages() -> None:
    assert set(labels.KINDS) == set(Kind)
    assert set(labels.TERMS) == set(Term)
    for label in (*labels.KINDS.values(), *labels.TERMS.values()):
        assert label.en
        assert label.de
        assert label.en != label.de
        assert label.warum.endswith(".")
    assert set(WORDS["en"]) == set(WORDS["de"])


@pytest.mark.parametrize(
    ("span", "english", "german"),
    [
        (timedelta(minutes=10), "10 minutes", "10 Minuten"),
        (timedelta(minutes=90), "90 minutes", "90 Minuten"),
        (timedelta(hours=1), "1 hour", "1 Stunde"),
        (timedelta(hours=24), "24 hours", "24 Stunden"),
        (timedelta(days=7), "7 days", "7 Tage"),
        (timedelta(days=365), "1 year", "1 Jahr"),
        (timedelta(days=5 * 365), "5 years", "5 Jahre"),
    ],
)
def test_a_length_is_said_exactly(span: timedelta, english: str, german: str) -> None:
    assert (length(span), length(span, "de")) == (english, german)
    assert lengths(span, span) == english
    assert lengths(MARGIN, span, "de") == f"1 Minute, höchstens {german}"
