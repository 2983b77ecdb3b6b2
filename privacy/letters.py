"""The words of what people are told by mail. They hold one date, and no name, style or id."""

import uuid
from datetime import date
from typing import Final

from privacy.models import Consent, Notice

LANGUAGE: Final = "en"
# Sort → language → (subject, body); {day} is the only word that differs from mail to mail.
TEXTS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    Notice.Sort.PORTRAITS: {
        "en": (
            "Some of your portraits end soon",
            "Hello,\n\n"
            "some of your portraits reach the end of their time within the next days, the first "
            "on {day}. Then they are deleted for good, as promised.\n\n"
            "If you would like to keep them, open the app before that day: download them, or move "
            "their end.\n\n"
            "If not, there is nothing to do.\n",
        ),
        "de": (
            "Einige deiner Porträts laufen bald ab",
            "Hallo,\n\n"
            "einige deiner Porträts erreichen in den nächsten Tagen ihr Ende, die ersten am {day}. "
            "Dann werden sie endgültig gelöscht, wie versprochen.\n\n"
            "Wenn du sie behalten möchtest, öffne die App vor diesem Tag: lade sie herunter, oder "
            "verschiebe ihr Ende.\n\n"
            "Wenn nicht, musst du nichts tun.\n",
        ),
    },
    Notice.Sort.ACCOUNT: {
        "en": (
            "Your account has not been used for a long time",
            "Hello,\n\n"
            "we do not keep accounts that nobody uses. Yours, with everything in it, will be "
            "erased for good on {day} or soon after.\n\n"
            "If you would like to keep it, sign in once before that day.\n\n"
            "If not, there is nothing to do.\n",
        ),
        "de": (
            "Dein Konto wurde lange nicht benutzt",
            "Hallo,\n\n"
            "wir behalten keine Konten, die niemand benutzt. Deines wird mit allem, was darin ist, "
            "am {day} oder kurz danach endgültig gelöscht.\n\n"
            "Wenn du es behalten möchtest, melde dich vor diesem Tag einmal an.\n\n"
            "Wenn nicht, musst du nichts tun.\n",
        ),
    },
    Notice.Sort.ORDER: {
        "en": (
            "We had to answer a legal order about you",
            "Hello,\n\n"
            "a court or an authority has ordered us to hand out what we hold on you, and on {day} "
            "we did, sealed to whoever ordered it. Two of our officers had to agree. Until now we "
            "were not allowed to tell you, or it has only just happened.\n\n"
            "When and by which sort of order stands in the copy that you can make in the app. You "
            "may object to the order where it comes from, and complain to a supervisory "
            "authority.\n",
        ),
        "de": (
            "Wir mussten eine behördliche Anordnung zu dir beantworten",
            "Hallo,\n\n"
            "ein Gericht oder eine Behörde hat angeordnet, dass wir herausgeben, was wir über dich "
            "haben. Das haben wir am {day} getan, versiegelt für die anordnende Stelle. Zwei von "
            "uns mussten zustimmen. Bis jetzt durften wir es dir nicht sagen, oder es ist gerade "
            "erst geschehen.\n\n"
            "Wann und durch welche Art von Anordnung, steht in der Kopie, die du in der App "
            "anlegen kannst. Du kannst dich gegen die Anordnung wehren, wo sie herkommt, und dich "
            "bei einer Aufsichtsbehörde beschweren.\n",
        ),
    },
}


def write(sort: Notice.Sort, owner_id: uuid.UUID, day: date) -> tuple[str, str]:
    """(subject, body), in the language of the text that the person signed last."""
    signed = Consent.objects.filter(subject_id=owner_id).order_by("-at", "-pk")
    language = signed.values_list("document__language", flat=True).first()
    texts = TEXTS[sort]
    subject, body = texts.get(language or LANGUAGE, texts[LANGUAGE])
    return subject, body.format(day=day.isoformat())
