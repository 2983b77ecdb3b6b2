"""The first consent texts. A change is a new migration that retires these and adds new ones."""

import hashlib
import uuid

from django.db import migrations
from django.utils import timezone

ENGLISH = """\
Consent to portrait generation

What happens. You hand in one to five photos of yourself. A program paints portraits from them and
nothing else. No model is trained or adapted on them, no face template or other identifier is
computed from them, nobody outside sees them, and they are never sold, lent or used for marketing.

What we hold, and for how long. Each photo is encrypted as it arrives and destroyed within ten
minutes, when a cleaned copy of at most 1024 pixels has taken its place. That copy is destroyed when
your job has ended, after 24 hours if no job uses it, or, if you ask us to keep it, after the time
that you choose, seven days at the most. Portraits are kept for 30 days under a key of your own; you
may shorten that at any time, or extend it up to twelve months.

Biometric information. Photos of your face may be biometric information under the law where you
live. By signing you give your explicit consent (GDPR, article 9(2)(a)) and your written release
(Illinois Biometric Information Privacy Act, section 15(b)) to their collection and use for the
purpose above, for the terms above.

Your rights. You may withdraw at any time with one call, as easily as you sign now; then open jobs
stop and your photos are destroyed at once. You may erase everything, at any time, and get a signed
receipt. Your typed name is kept sealed for five years, as evidence of this consent.

Hand in photos of yourself only. You are 18 years old or older.
"""

GERMAN = """\
Einwilligung in die Erstellung von Porträts

Was geschieht. Sie geben ein bis fünf Fotos von sich ab. Ein Programm malt daraus Porträts und
sonst nichts. Kein Modell wird damit trainiert oder angepasst, keine Gesichtsschablone und kein
anderes Kennzeichen wird daraus berechnet, niemand außerhalb sieht sie, und sie werden nie verkauft,
verliehen oder für Werbung verwendet.

Was wir aufbewahren, und wie lange. Jedes Foto wird bei der Ankunft verschlüsselt und binnen zehn
Minuten vernichtet, sobald eine bereinigte Kopie von höchstens 1024 Pixeln an seine Stelle getreten
ist. Diese Kopie wird vernichtet, wenn Ihr Auftrag beendet ist, nach 24 Stunden, wenn kein Auftrag
sie nutzt, oder, wenn Sie darum bitten, nach der von Ihnen gewählten Zeit, höchstens sieben Tagen.
Porträts werden 30 Tage lang unter einem eigenen Schlüssel für Sie aufbewahrt; Sie können das
jederzeit verkürzen oder auf bis zu zwölf Monate verlängern.

Biometrische Daten. Fotos Ihres Gesichts können dort, wo Sie leben, biometrische Daten sein. Mit
Ihrer Unterschrift willigen Sie ausdrücklich (DSGVO, Artikel 9 Absatz 2 Buchstabe a) in ihre
Erhebung und Nutzung für den genannten Zweck und die genannten Fristen ein.

Ihre Rechte. Sie können jederzeit mit einem einzigen Aufruf widerrufen, so einfach wie Sie jetzt
unterschreiben; dann enden offene Aufträge und Ihre Fotos werden sofort vernichtet. Sie können
jederzeit alles löschen und erhalten darüber eine signierte Quittung. Ihr getippter Name wird fünf
Jahre lang versiegelt als Nachweis dieser Einwilligung aufbewahrt.

Geben Sie nur Fotos von sich selbst ab. Sie sind 18 Jahre alt oder älter.
"""


def publish(apps, schema_editor):
    documents = apps.get_model("privacy", "ConsentDocument")
    for language, text in (("en", ENGLISH), ("de", GERMAN)):
        documents.objects.create(
            id=uuid.uuid5(uuid.NAMESPACE_URL, f"sitter/portrait-generation/{language}/1"),
            purpose="portrait-generation",
            language=language,
            version=1,
            text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            published_at=timezone.now(),
        )


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_initial")]
    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
