"""Consent texts, version 2: one for each purpose, region and language. The first ones retire."""

import uuid

from django.db import migrations
from django.utils import timezone

from privacy.migrations import _texts_2


def publish(apps, schema_editor):
    documents = apps.get_model("privacy", "ConsentDocument")
    now = timezone.now()
    documents.objects.filter(retired_at=None).update(retired_at=now)
    for purpose, region, language, text, sha256 in _texts_2.texts():
        name = f"sitter/{purpose}/{region}/{language}/{_texts_2.VERSION}"
        documents.objects.create(
            id=uuid.uuid5(uuid.NAMESPACE_URL, name),
            purpose=purpose,
            region=region,
            language=language,
            version=_texts_2.VERSION,
            text=text,
            sha256=sha256,
            valid_days=_texts_2.VALID_DAYS,
            published_at=now,
        )


class Migration(migrations.Migration):
    dependencies = [("privacy", "0003_promises")]
    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
