"""Each role opens what the matrix says, does what it says, and is refused everything else."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from deploy.staff import permissions
from deploy.staff.roles import DUTIES, PAGES, ROLES, Role
from tests.figures import figure
from tests.staff import matrix
from tests.staff.members import client, member

KINDS = ("actions_list", "actions_detail", "actions_row", "actions_submit_line")
STALE = timedelta(minutes=11)
# No thing has this id; what is refused is refused before it is looked for.
NOTHING = str(uuid.UUID(int=0))


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture(scope="module")
def members() -> dict[str, Any]:
    return {str(role): member(role) for role in Role}


def registered() -> dict[str, Any]:
    return {model._meta.label_lower: page for model, page in admin.site._registry.items()}


def acts() -> Iterator[tuple[str, str, str]]:
    """(model, method, kind) of everything that a page offers to do."""
    for label, page in registered().items():
        for _, name, _ in page._get_base_actions():
            if name != "delete_selected":
                yield label, name, "actions"
        for kind in KINDS:
            for name in page._extract_action_names(getattr(page, kind)):
                yield label, name, kind


def addresses(patterns: Any = None, names: tuple[str, ...] = ()) -> Iterator[URLPattern]:
    for pattern in admin.site.urls[0] if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns)
        else:
            yield pattern


def filled(pattern: URLPattern) -> str:
    """An address of it, with something for each of its parts."""
    sample = {
        "app_label": "portraits",
        "rest": "workers",
        "url": "nowhere/at/all",
        "pk": uuid.UUID(int=0),
    }
    kwargs = {name: sample.get(name, NOTHING) for name in pattern.pattern.regex.groupindex}
    if pattern.name is None:
        return "/admin/nowhere/at/all"
    return reverse(f"admin:{pattern.name}", kwargs=kwargs)


def test_every_page_and_every_act_has_a_line_in_the_matrix() -> None:
    labels = set(registered())
    assert labels == matrix.MODELS.keys()
    assert {f"{label} {name}" for label, name, _ in acts()} == matrix.ACTS.keys()
    ours = {f"{label.replace('.', '_')}_{name}" for label, name, _ in acts()}
    ours |= {
        f"{label.replace('.', '_')}_{word}"
        for label in labels
        for word in ("changelist", "add", "history", "delete", "change")
    }
    others = {pattern.name for pattern in addresses() if pattern.name} - ours
    assert others == matrix.PAGES.keys() | matrix.EVERYBODY


def test_the_groups_have_what_the_table_says_after_a_migration() -> None:
    for role, may in ROLES.items():
        group = Group.objects.get(name=str(role))
        held = {
            f"{one.content_type.app_label}.{one.codename}"
            for one in group.permissions.select_related("content_type")
        }
        assert held == permissions.names(may), role
    assert DUTIES.keys() == ROLES.keys() == set(Role)


def test_what_the_table_no_longer_says_is_taken_away() -> None:
    group = Group.objects.get(name="support")
    group.permissions.add(Permission.objects.get(codename="delete_user"))
    permissions.apply()
    assert not group.permissions.filter(codename="delete_user").exists()


def test_no_role_may_add_or_delete_anything_or_touch_what_proves_who_somebody_is() -> None:
    for role, may in ROLES.items():
        for label, words in may.items():
            assert not {"add", "delete"} & set(words.split()), role
            assert label == PAGES or label.lower() in registered(), label
            assert label.partition(".")[0] not in ("mfa", "account", "socialaccount", "auth")


@pytest.mark.parametrize("who", Role)
def test_a_role_opens_and_does_what_the_matrix_says_and_nothing_else(
    who: Role, members: dict[str, Any]
) -> None:
    http = client(members[who])
    for label, roles in matrix.MODELS.items():
        base, may = f"/admin/{label.replace('.', '/')}/", who in roles
        assert http.get(base).status_code == (200 if may else 403), base
        thing = registered()[label].model._default_manager.first()
        for where in filter(None, (NOTHING, thing and thing.pk)):
            found = http.get(f"{base}{where}/change/").status_code
            assert (found in (200, 302)) if may else found == 403, (base, found)
            if where != NOTHING:
                history = http.get(f"{base}{where}/history/").status_code
                assert history == (200 if may else 403)
            edits = who in matrix.EDITABLE.get(label, ())
            saved = http.post(f"{base}{where}/change/", {}).status_code
            assert (saved in (200, 302)) if edits else saved == 403, (base, saved)
            assert http.post(f"{base}{where}/delete/", {"post": "yes"}).status_code == 403
        begins = who in matrix.ADDABLE.get(label, ())
        assert http.post(f"{base}add/", {}).status_code == (200 if begins else 403), base
    for label, name, kind in acts():
        may = who in matrix.ACTS[f"{label} {name}"]
        assert permitted(http, label, name, kind) == may, (label, name)
    for name, roles in matrix.PAGES.items():
        (pattern,) = [one for one in addresses() if one.name == name]
        assert (http.get(filled(pattern)).status_code != 403) == (who in roles), name
    assert http.get("/admin/").status_code == 200


def permitted(http: Client, label: str, name: str, kind: str) -> bool:
    """Whether an act that finds nothing is let through as far as finding nothing."""
    base = f"/admin/{label.replace('.', '/')}/"
    if kind == "actions":
        body = {"action": name, "index": "0", "_selected_action": [NOTHING]}
        return http.post(base, body).status_code != 403
    where = () if kind == "actions_list" else (NOTHING,)
    address = reverse(f"admin:{label.replace('.', '_')}_{name}", args=where)
    return http.post(address).status_code != 403


def test_every_act_that_matters_asks_for_a_proof_that_is_fresh() -> None:
    http = client(member(superuser=True), proved=STALE)
    for label, name, kind in acts():
        base = f"/admin/{label.replace('.', '/')}/"
        if kind == "actions":
            answer = http.post(base, {"action": name, "index": "0", "_selected_action": [NOTHING]})
        else:
            where = () if kind == "actions_list" else (NOTHING,)
            answer = http.post(reverse(f"admin:{label.replace('.', '_')}_{name}", args=where))
        # 307: what was sent goes along, to be offered again.
        assert answer.status_code == 307, (label, name)
        assert answer["Location"].startswith("/admin/prove/?next=%2Fadmin%2F"), (label, name)
    for label in matrix.EDITABLE:
        answer = http.post(f"/admin/{label.replace('.', '/')}/{NOTHING}/change/", {})
        assert answer["Location"].startswith("/admin/prove/"), label
    for path in ("/admin/password_change/", "/admin/enrol/"):
        assert http.get(path)["Location"].startswith("/admin/prove/"), path


def test_no_page_opens_without_a_second_factor(members: dict[str, Any]) -> None:
    chief = member(superuser=True)
    opened, n = [], 0
    for user in (chief, *members.values()):
        http = client(user, proved=None)
        for pattern in addresses():
            if pattern.name == "login":
                continue
            for answer in (http.get(filled(pattern)), http.post(filled(pattern))):
                n += 1
                # Who signs out lands before the overview, and from there at the login.
                door = "/admin/" if pattern.name == "logout" else "/admin/login/"
                if answer.status_code != 302 or not answer["Location"].startswith(door):
                    opened.append((pattern.name, answer.status_code))
    figure(
        "A-05",
        value=len(opened),
        n=n,
        holds=not opened,
        conditions="each address of the admin, read and written to, as each role and as a"
        " superuser, signed in by the password alone",
    )
    assert opened == []


def test_who_is_on_staff_without_a_role_opens_the_overview_alone() -> None:
    http = client(member())
    assert http.get("/admin/").status_code == 200
    for label in matrix.MODELS:
        assert http.get(f"/admin/{label.replace('.', '/')}/").status_code == 403
