"""Deleting rows by the set: one statement a table, whatever the number of rows."""

from collections.abc import Collection
from typing import Any

from django.db import models


def drop(model: type[models.Model], ids: Collection[Any]) -> None:
    """Delete rows and what hangs on them by CASCADE, and empty what points at them by SET_NULL.

    Django's own collector would load every row first. A PROTECT is left to PostgreSQL's foreign
    key, which refuses. Nothing here sends signals: the project has none.
    """
    if not ids:
        return
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ForeignObjectRel) or relation.many_to_many:
            continue
        pointing = relation.field.model._base_manager.filter(**{f"{relation.field.name}__in": ids})
        if relation.on_delete is models.SET_NULL:
            pointing.update(**{relation.field.name: None})
        elif relation.on_delete is models.CASCADE:
            drop(relation.field.model, list(pointing.values_list("pk", flat=True)))
    rows = model._base_manager.filter(pk__in=ids)
    rows._raw_delete(rows.db)
