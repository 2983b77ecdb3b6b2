"""A style's life in the admin: drafted, refused, painted on nobody, published, retired."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from deploy.staff.roles import Role
from portraits import trials
from portraits.models import Style
from tests.portraits.making import JPEG, style
from tests.staff.members import client, member


@pytest.fixture
def editor(born: Any) -> Client:
    born("web")
    return client(member(Role.CONTENT))


def page(row: Style) -> str:
    return f"/admin/portraits/style/{row.pk}/change/"


def act(editor: Client, row: Style, name: str) -> Any:
    return editor.post(f"/admin/portraits/style/{row.pk}/{name}/", follow=True)


def fields(row: Style, **change: Any) -> dict[str, Any]:
    given = {
        "name": row.name,
        "description": row.description or "Lines.",
        "engine": row.engine,
        "recipe": json.dumps(row.recipe),
        "position": row.position,
    }
    return given | change


def test_a_draft_is_made_changed_painted_and_published(editor: Client) -> None:
    old = style()
    answer = act(editor, old, "new_draft")
    assert answer.status_code == 200
    draft = Style.objects.get(slug=old.slug, published_at=None)
    wanted = {"style": "pencil", "references": 1}
    saved = editor.post(page(draft), fields(draft, engine="pocket", recipe=json.dumps(wanted)))
    assert saved.status_code == 302, saved.content
    draft.refresh_from_db()
    assert (draft.engine, draft.recipe) == ("pocket", wanted)
    assert "Not painted yet" in editor.get(page(draft)).content.decode()
    assert "No worker has painted" in act(editor, draft, "publish").content.decode()
    trials.keep(draft, JPEG, timezone.now())
    shown = editor.get(page(draft)).content.decode()
    assert f"/admin/portraits/style/{draft.pk}/picture/" in shown
    picture = editor.get(f"/admin/portraits/style/{draft.pk}/picture/")
    assert (picture.content, picture["Content-Type"]) == (JPEG, "image/jpeg")
    assert "can be ordered now" in act(editor, draft, "publish").content.decode()
    old.refresh_from_db()
    assert old.retired_at is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"engine": "nobody"}, "No worker has this engine"),
        ({"recipe": '{"style": "pencil", "width": 513}'}, "does not paint 513 x 512"),
        ({"recipe": '{"style": "pencil", "colour": "red"}'}, "has no colour"),
        ({"recipe": "pencil"}, "valid JSON"),
    ],
)
def test_what_no_engine_can_run_is_refused_and_the_draft_stays_as_it_was(
    editor: Client, change: dict[str, str], said: str
) -> None:
    old = style()
    Style.objects.filter(pk=old.pk).update(engine="pocket", recipe={"style": "pencil"})
    act(editor, old, "new_draft")
    draft = Style.objects.get(slug=old.slug, published_at=None)
    answer = editor.post(page(draft), fields(draft, **change))
    assert answer.status_code == 200
    assert said in answer.content.decode().replace("&quot;", '"')
    draft.refresh_from_db()
    assert draft.recipe == {"style": "pencil"}


def test_a_new_style_begins_as_a_draft(editor: Client) -> None:
    slug = f"s{uuid.uuid4().hex[:12]}"
    given = {
        "slug": slug,
        "name": "Chalk",
        "description": "Chalk on slate.",
        "engine": "pocket",
        "recipe": '{"style": "pencil"}',
        "position": 7,
    }
    assert editor.post("/admin/portraits/style/add/", given).status_code == 302
    made = Style.objects.get(slug=slug)
    assert (made.version, made.published_at) == (1, None)
    assert not Style.current().filter(slug=slug).exists()


def test_the_recipe_of_what_was_published_cannot_be_changed(editor: Client) -> None:
    row = style()
    answer = editor.post(page(row), fields(row, name="Other", recipe='{"style": "ink"}'))
    assert answer.status_code == 302
    before, row = row.recipe, Style.objects.get(pk=row.pk)
    assert (row.name, row.recipe) == ("Other", before)


def test_a_style_is_retired_and_a_draft_thrown_away(editor: Client) -> None:
    row = style()
    act(editor, row, "new_draft")
    draft = Style.objects.get(slug=row.slug, published_at=None)
    assert act(editor, draft, "discard").status_code == 200
    assert not Style.objects.filter(pk=draft.pk).exists()
    assert "was published" in act(editor, row, "discard").content.decode()
    asked = editor.get(f"/admin/portraits/style/{row.pk}/retire/").content.decode()
    assert "What was ordered is painted" in asked
    row.refresh_from_db()
    assert row.retired_at is None
    assert "order this style any more" in act(editor, row, "retire").content.decode()
    assert "Nobody could order" in act(editor, row, "retire").content.decode()


def test_support_looks_and_changes_nothing(born: Any) -> None:
    born("web")
    support, row = client(member(Role.SUPPORT)), style()
    assert support.get(page(row)).status_code == 200
    for name in ("new_draft", "publish", "retire", "discard"):
        assert act(support, row, name).status_code == 403
    row.refresh_from_db()
    assert row.retired_at is None
