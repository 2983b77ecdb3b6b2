"""The words of what the desk writes to people, in English and German. Pure data and one function.

A letter holds the request's number, a date, and what staff have written to the person; no name, no
style, no picture. `{…}` is filled from the case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LANGUAGE: Final = "en"


class Template(StrEnum):
    """Which letter."""

    RECEIVED = "received"
    CONFIRM = "confirm"
    EXTENDED = "extended"
    ACCESS = "access"
    DELETION = "deletion"
    CORRECTION = "correction"
    OBJECTION = "objection"
    FACE = "face"
    ABUSE = "abuse"
    NOTHING = "nothing"
    REFUSED = "refused"


@dataclass(frozen=True)
class Letter:
    """Subject and body in both languages."""

    subject: str
    body: str
    betreff: str
    text: str


TEXTS: Final[dict[Template, Letter]] = {
    Template.RECEIVED: Letter(
        "We have your request",
        "we have read your request and are working on it. You have our answer by {day} at the"
        " latest.",
        "Deine Anfrage ist da",
        "wir haben deine Anfrage gelesen und arbeiten daran. Unsere Antwort hast du spätestens am"
        " {day}.",
    ),
    Template.CONFIRM: Letter(
        "Please confirm your request",
        "somebody has asked us for something that concerns your account. Before we do anything, we"
        " need to know that it was you: open the app, sign in, find the request and confirm it. We"
        " need no copy of a document; please send none.\n\n"
        "If it was not you, there is nothing to do: nothing happens without your confirmation. You"
        " have our answer by {day} at the latest.",
        "Bitte bestätige deine Anfrage",
        "jemand hat uns um etwas gebeten, das dein Konto betrifft. Bevor wir etwas tun, müssen wir"
        " wissen, dass du es warst: Öffne die App, melde dich an, suche die Anfrage und bestätige"
        " sie. Wir brauchen keine Ausweiskopie; bitte schicke keine.\n\n"
        "Wenn du es nicht warst, musst du nichts tun: Ohne deine Bestätigung geschieht nichts."
        " Unsere Antwort hast du spätestens am {day}.",
    ),
    Template.EXTENDED: Letter(
        "Your request takes longer",
        "your request takes longer than we thought. You have our answer by {day} at the latest."
        " This is why:\n\n{words}",
        "Deine Anfrage dauert länger",
        "deine Anfrage dauert länger, als wir dachten. Unsere Antwort hast du spätestens am {day}."
        " Der Grund:\n\n{words}",
    ),
    Template.ACCESS: Letter(
        "Your copy is being prepared",
        "a copy of everything that we hold on you is being prepared. In some minutes you can fetch"
        " it in the app, once, and within 24 hours; after that, make a new one there. Nobody here"
        " can open it.",
        "Deine Kopie wird vorbereitet",
        "eine Kopie von allem, was wir über dich haben, wird vorbereitet. In einigen Minuten kannst"
        " du sie in der App abholen, einmal und binnen 24 Stunden; danach kannst du dort eine neue"
        " anlegen. Niemand bei uns kann sie öffnen.",
    ),
    Template.DELETION: Letter(
        "We are deleting it",
        "we are deleting what you asked us to delete. From this minute it cannot be opened any"
        " more, by anybody. When a fresh look has found nothing, the signed receipt is at the"
        " address below; it needs no account.",
        "Wir löschen es",
        "wir löschen, was du uns zu löschen gebeten hast. Ab dieser Minute kann niemand es mehr"
        " öffnen. Sobald eine frische Suche nichts mehr gefunden hat, liegt die signierte Quittung"
        " unter der Adresse unten; du brauchst dafür kein Konto.",
    ),
    Template.CORRECTION: Letter(
        "It is corrected",
        "we have corrected what was wrong. Where you live decides which consent text is yours, so"
        " the app may ask you to read and sign it again.",
        "Es ist berichtigt",
        "wir haben berichtigt, was falsch war. Dein Wohnort bestimmt, welcher Einwilligungstext für"
        " dich gilt; die App bittet dich vielleicht, ihn noch einmal zu lesen und zu"
        " unterschreiben.",
    ),
    Template.OBJECTION: Letter(
        "We have stopped",
        "we have stopped processing your photos: open jobs have ended and the photos are deleted."
        " Portraits that were finished stay yours; you can delete them in the app.",
        "Wir haben aufgehört",
        "wir verarbeiten deine Fotos nicht mehr: Offene Aufträge sind beendet, die Fotos gelöscht."
        " Fertige Porträts bleiben deine; du kannst sie in der App löschen.",
    ),
    Template.FACE: Letter(
        "Your report about your face",
        "we have looked into your report. We keep no pattern of any face, so we cannot search for"
        " yours, and nobody here can look at somebody's pictures. Whether a picture was made here"
        " you can find out yourself, without an account: POST /v1/provenance/check. This is what we"
        " found:\n\n{words}",
        "Deine Meldung über dein Gesicht",
        "wir sind deiner Meldung nachgegangen. Wir haben von keinem Gesicht ein Muster, können also"
        " nicht nach deinem suchen, und niemand bei uns kann fremde Bilder ansehen. Ob ein Bild"
        " hier entstand, erfährst du selbst und ohne Konto: POST /v1/provenance/check. Das haben"
        " wir herausgefunden:\n\n{words}",
    ),
    Template.ABUSE: Letter(
        "Your report",
        "we have looked into your report. This is what we found and did:\n\n{words}",
        "Deine Meldung",
        "wir sind deiner Meldung nachgegangen. Das haben wir herausgefunden und getan:\n\n{words}",
    ),
    Template.NOTHING: Letter(
        "We hold nothing of this",
        "we have looked and hold nothing of what you asked about.",
        "Wir haben nichts davon",
        "wir haben nachgesehen und haben nichts von dem, worum es dir geht.",
    ),
    Template.REFUSED: Letter(
        "We cannot do this",
        "we cannot do what you asked for. This is why:\n\n{words}\n\nYou may complain to a"
        " supervisory authority; their addresses are on our privacy page.",
        "Das können wir nicht tun",
        "wir können nicht tun, worum du gebeten hast. Der Grund:\n\n{words}\n\nDu kannst dich bei"
        " einer Aufsichtsbehörde beschweren; die Adressen stehen auf unserer Datenschutzseite.",
    ),
}
_HELLO: Final = {"en": "Hello,\n\n", "de": "Hallo,\n\n"}
_WHERE: Final = {
    "en": "\n\nThe number of your request is {case}. It shows how far it is, without an account:"
    " /v1/requests/{case}\n",
    "de": "\n\nDie Nummer deiner Anfrage ist {case}. Sie zeigt ihren Stand, auch ohne Konto:"
    " /v1/requests/{case}\n",
}
NEEDS_WORDS: Final = frozenset(
    template for template, letter in TEXTS.items() if "{words}" in letter.body
)


def write(template: Template, language: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """(subject, body), from the facts `case`, `day` and `words`."""
    spoken = language if language in _HELLO else LANGUAGE
    letter = TEXTS[template]
    german = spoken == "de"
    subject, text = (letter.betreff, letter.text) if german else (letter.subject, letter.body)
    words = facts.get("words", "")
    # What staff add to a letter that has no place for it stands behind it.
    more = f"\n\n{words}" if words and template not in NEEDS_WORDS else ""
    # Filled piece by piece: words of staff may hold braces.
    body = _HELLO[spoken] + text.format(**facts) + more + _WHERE[spoken].format(**facts)
    return subject, body
