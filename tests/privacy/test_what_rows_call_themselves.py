"""What a row calls itself is copied into the admin's log and kept there: it may name nobody."""

import uuid

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

SECRET = "c4n4ry"
MODELS = [model for model in apps.get_models() if model._meta.app_label == "privacy"]


def filled(model: type[models.Model]) -> models.Model:
    """A row that was never saved, with the word in every column that could hold words."""
    values: dict[str, object] = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            values[field.attname] = uuid.uuid4()
        elif field.choices:
            values[field.attname] = next(iter(field.flatchoices))[0]
        elif isinstance(field, models.CharField) and field.primary_key:
            values[field.attname] = "2026-11-22"
        elif isinstance(field, models.TextField | models.JSONField):
            values[field.attname] = SECRET
        elif isinstance(field, models.BinaryField):
            values[field.attname] = SECRET.encode()
        elif isinstance(field, models.DateTimeField | models.DateField):
            values[field.attname] = timezone.now()
    return model(**values)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_row_names_nobody(model: type[models.Model]) -> None:
    said = str(filled(model))
    assert said
    assert SECRET not in said


def test_every_table_of_the_room_was_asked() -> None:
    assert len(MODELS) > 20
