"""A style's life: a draft that somebody changes, a picture of nobody, a version, its end."""

from datetime import timedelta
from typing import Any

import pytest

from portraits import catalogue, painters, trials
from portraits.errors import NotPaintedYet, UnknownStyle
from portraits.models import Style, Trial
from portraits.staff_errors import DraftThere, NotADraft, NotTried
from privacy.models import AuditEvent
from tests.portraits import making, ordering
from tests.portraits.making import JPEG, now, style

POCKET = {"style": "pencil"}


def painted(draft: Style) -> None:
    """As a worker leaves it."""
    assert trials.keep(draft, JPEG, now())


def test_a_draft_is_a_copy_that_nobody_can_order() -> None:
    old = style()
    made = catalogue.draft(old.pk)
    assert (made.slug, made.version, made.recipe) == (old.slug, old.version + 1, old.recipe)
    assert made.published_at is None
    assert Style.current().filter(slug=old.slug).get() == old
    job = making.submitted(making.consenting(), old)
    assert job.items.get().style == old


def test_there_is_one_draft_a_style() -> None:
    old = style()
    made = catalogue.draft(old.pk)
    with pytest.raises(DraftThere):
        catalogue.draft(old.pk)
    catalogue.discard(made.pk)
    assert catalogue.draft(old.pk).version == made.version


def test_it_is_published_once_a_worker_has_painted_it() -> None:
    old = style()
    made = catalogue.draft(old.pk)
    with pytest.raises(NotTried):
        catalogue.publish(made.pk, now())
    painted(made)
    catalogue.publish(made.pk, now())
    old.refresh_from_db()
    assert old.retired_at is not None
    assert Style.current().get(slug=old.slug).pk == made.pk
    assert AuditEvent.objects.filter(
        verb=AuditEvent.Verb.STYLE_PUBLISHED, object_id=made.pk
    ).exists()
    with pytest.raises(NotADraft):
        catalogue.publish(made.pk, now())
    with pytest.raises(NotADraft):
        catalogue.discard(made.pk)


def test_a_changed_draft_is_painted_anew() -> None:
    made = catalogue.draft(style().pk)
    painted(made)
    trials.note_fault(made, "")
    catalogue.try_out(made)
    assert not Trial.objects.filter(style=made).exists()
    with pytest.raises(NotTried):
        catalogue.publish(made.pk, now())


def test_the_picture_of_what_was_published_stays() -> None:
    old = style()
    painted(old)
    catalogue.try_out(old)
    assert trials.find(old.slug).data == JPEG


def test_a_draft_is_not_what_people_try() -> None:
    old = style()
    painted(catalogue.draft(old.pk))
    with pytest.raises(NotPaintedYet):
        trials.find(old.slug)


def test_workers_are_asked_for_drafts_too() -> None:
    made = catalogue.draft(style().pk)
    assert made in trials.missing({made.engine})
    painted(made)
    assert made not in trials.missing({made.engine})


def test_a_fault_is_noted_and_gone_once_it_is_changed() -> None:
    made = catalogue.draft(style().pk)
    trials.note_fault(made, "EngineRefused")
    made.refresh_from_db()
    assert made.fault == "EngineRefused"
    catalogue.try_out(made)
    made.refresh_from_db()
    assert made.fault == ""


def test_what_was_ordered_before_it_was_retired_is_painted() -> None:
    old, who = ordering.words_only(), making.person()
    ordering.order(who, old)
    assert catalogue.retire(old.pk, now())
    assert not catalogue.retire(old.pk, now())
    assert ordering.finished(who, old).item.style == old
    with pytest.raises(UnknownStyle):
        ordering.order(who, old)


def test_a_recipe_that_can_be_painted_has_no_problem() -> None:
    assert catalogue.problems("pocket", POCKET, now()) == {}
    for row in Style.current().filter(engine="pocket"):
        assert catalogue.problems(row.engine, row.recipe, now()) == {}, row.slug


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ([], "object"),
        ({}, "names the engine's own style"),
        ({"style": 7}, "style is a text"),
        ({"style": "pencil", "colour": "red"}, "no colour"),
        ({"style": "pencil", "width": 513}, "does not paint 513 x 512"),
        ({"style": "pencil", "width": "512"}, "width is a whole number"),
        ({"style": "pencil", "references": -1}, "references is a whole number"),
        ({"style": "pencil", "steps": 0}, "steps is a whole number from 1"),
        ({"style": "pencil", "steps": True}, "steps is a whole number from 1"),
        ({"style": "pencil", "prompt": "a lighthouse"}, "reads no words"),
        ({"style": "pencil", "prompt": 1}, "prompt is a text"),
        ({"style": "pencil", "face_gate": "sometimes"}, "face_gate is one of"),
    ],
)
def test_what_no_worker_could_paint_is_said_in_a_sentence(recipe: Any, said: str) -> None:
    found = catalogue.problems("pocket", recipe, now())
    assert set(found) == {"recipe"}
    assert said in found["recipe"]


def test_an_engine_that_only_enlarges_paints_nobody() -> None:
    found = catalogue.problems("real-esrgan", {"style": "x"}, now())
    assert "recipe" in found


def test_an_engine_that_nobody_has_is_refused_until_a_worker_serves_it() -> None:
    assert set(catalogue.problems("nobody", POCKET, now())) == {"engine"}
    painters.announce("test:1", ["nobody"], now())
    assert catalogue.problems("nobody", POCKET, now()) == {}
    painters.leave("test:1")
    assert set(catalogue.problems("nobody", POCKET, now() + timedelta(hours=1))) == {"engine"}
