"""The role table as rows: groups and their permissions, brought up to date after each migration."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from deploy.staff.roles import PAGES, ROLES


def needed(may: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """(app, model, codename) of each permission that an entry of the table gives."""
    for label, words in may.items():
        app, _, model = label.lower().partition(".")
        for word in words.split():
            yield app, model, f"open_{word}" if label == PAGES else f"{word}_{model}"


def names(may: dict[str, str]) -> set[str]:
    """The same as Django asks for them: "<app>.<codename>"."""
    return {f"{app}.{codename}" for app, _, codename in needed(may)}


def apply(**_: Any) -> None:
    """Each role has what the table says, and nothing else. Runs again without harm."""
    for role, may in ROLES.items():
        group, _created = Group.objects.get_or_create(name=str(role))
        group.permissions.set([_permission(*which) for which in needed(may)])


def after_migrate(app_config: Any, **_: Any) -> None:
    """Once, when the last app has been migrated and Django has made its own permissions."""
    if app_config.label == "deploy":
        apply()


def _permission(app: str, model: str, codename: str) -> Permission:
    if app != PAGES.partition(".")[0].lower():
        apps.get_model(app, model)  # a table that is misspelt is found here
    kind, _ = ContentType.objects.get_or_create(app_label=app, model=model)
    words = codename.replace("_", " ")
    return Permission.objects.get_or_create(
        content_type=kind, codename=codename, defaults={"name": f"Can {words}"}
    )[0]
