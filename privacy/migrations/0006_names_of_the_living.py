from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("privacy", "0005_scheduling")]
    operations = [
        migrations.RemoveConstraint(model_name="blob", name="blob_name"),
        migrations.AddConstraint(
            model_name="blob",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "shredded"), _negated=True),
                fields=("name",),
                name="blob_name",
            ),
        ),
    ]
