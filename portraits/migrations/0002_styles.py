"""The first catalogue. A change of a style is a new version in a new migration."""

import uuid

from django.db import migrations
from django.utils import timezone

POCKET = (
    ("pencil", "Pencil", "Soft graphite on paper, shaded by hand."),
    ("engraving", "Engraving", "Fine swelling lines, as on an old banknote."),
    ("watercolour", "Watercolour", "Transparent washes that run into wet paper."),
    ("oil", "Oil", "Broad strokes of a loaded brush."),
    ("comic", "Comic", "Flat colours inside bold outlines."),
    ("pastel", "Pastel", "Chalky, warm colour on rough paper."),
    ("mosaic", "Mosaic", "Small glazed tiles, laid along the form."),
    ("riso", "Riso print", "Two inks and a coarse screen, slightly off register."),
    ("linocut", "Linocut", "Black ink from a block that was cut by hand."),
)
KLEIN_PROMPT = (
    "A studio portrait photograph of the person in the reference pictures, with exactly their "
    "face, age, skin tone, hair and features, nothing improved or idealised. Plain grey "
    "backdrop, soft light from the upper left, head and shoulders, natural expression."
)


def publish(apps, schema_editor):
    styles = apps.get_model("portraits", "Style")
    rows = [
        {
            "slug": slug,
            "name": name,
            "description": description,
            "engine": "pocket",
            "recipe": {"style": slug, "width": 512, "height": 640},
            "preview": f"portraits/styles/{slug}.jpg",
        }
        for slug, name, description in POCKET
    ]
    rows.append(
        {
            "slug": "studio",
            "name": "Studio",
            "description": "A studio photograph with soft light. Needs a GPU worker.",
            "engine": "flux2-klein",
            "recipe": {
                "style": "studio",
                "width": 768,
                "height": 1024,
                "steps": 4,
                "prompt": KLEIN_PROMPT,
                "references": 4,
            },
            # The subject as it was drawn: nothing here could paint it in this style.
            "preview": "portraits/styles/studio.jpg",
        }
    )
    for position, row in enumerate(rows):
        styles.objects.create(
            id=uuid.uuid5(uuid.NAMESPACE_URL, f"sitter/style/{row['slug']}/1"),
            version=1,
            position=position,
            published_at=timezone.now(),
            **row,
        )


class Migration(migrations.Migration):
    dependencies = [("portraits", "0001_initial")]
    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
