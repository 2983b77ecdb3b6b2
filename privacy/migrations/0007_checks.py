from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('privacy', '0006_names_of_the_living'),
    ]

    operations = [
        migrations.AlterField(
            model_name='blob',
            name='kind',
            field=models.PositiveSmallIntegerField(choices=[(1, 'Upload'), (2, 'Reference'), (3, 'Portrait'), (4, 'Rendition'), (5, 'Prompt'), (6, 'Source'), (8, 'Canary'), (9, 'Export'), (11, 'Check')]),
        ),
    ]
