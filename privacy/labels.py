"""What the public page calls each kind, term, role and key, in English and German. Pure data.

English reasons stand in retention.py beside the numbers; a German one for each stands here. A test
fails when one is missing, so nothing that is kept can stay without a name.
"""

from dataclasses import dataclass
from typing import Final

from privacy.retention import Kind, Term


@dataclass(frozen=True)
class Label:
    """A name in both languages, and the German reason."""

    en: str
    de: str
    warum: str = ""


KINDS: Final[dict[Kind, Label]] = {
    Kind.UPLOAD: Label(
        "A photo as you sent it",
        "Ein Foto, wie du es geschickt hast",
        "Bis es geprüft und bereinigt ist.",
    ),
    Kind.REFERENCE: Label(
        "A cleaned reference photo",
        "Ein bereinigtes Referenzfoto",
        "Wird vernichtet, sobald der Auftrag endet, dem es dient.",
    ),
    Kind.PORTRAIT: Label(
        "A finished portrait",
        "Ein fertiges Porträt",
        "Du kannst die Frist jederzeit verkürzen oder verlängern.",
    ),
    Kind.RENDITION: Label(
        "A smaller copy of it", "Eine kleinere Kopie davon", "So lange wie ihr Porträt."
    ),
    Kind.PROMPT: Label("The words of a job", "Die Worte eines Auftrags", "Für den Auftrag."),
    Kind.SOURCE: Label(
        "A portrait that you ask to be edited",
        "Ein Porträt, das du bearbeiten lässt",
        "Neu versiegelt für den Rechner, der es bearbeitet.",
    ),
    Kind.CHECK: Label(
        "A picture handed in for a check",
        "Ein Bild, das zur Prüfung eingereicht wurde",
        "Gehört keinem Konto.",
    ),
    Kind.CANARY: Label("A check", "Eine Probe", "Gehört keiner Person."),
    Kind.EXPORT: Label("A part of your export", "Ein Teil deines Exports", "Versiegelt für dich."),
}
TERMS: Final[dict[Term, Label]] = {
    Term.JOB: Label(
        "What you asked for",
        "Was du in Auftrag gegeben hast",
        "Ab dem Ende des Auftrags und wenn kein Porträt daraus mehr da ist.",
    ),
    Term.IDEMPOTENCY_KEY: Label(
        "The key of a request",
        "Der Schlüssel einer Anfrage",
        "Ein Hash, an dem eine wiederholte Anfrage erkannt wird.",
    ),
    Term.SESSION: Label(
        "A device that is signed in", "Ein angemeldetes Gerät", "Für die Anmeldung."
    ),
    Term.SERVING: Label(
        "That a consent text was shown to you",
        "Dass dir ein Einwilligungstext gezeigt wurde",
        "Eine Unterschrift übernimmt die Zeit.",
    ),
    Term.CONSENT: Label(
        "The consent ledger",
        "Das Einwilligungsbuch",
        "Dass eine zufällige Nummer einen Text unterschrieben oder widerrufen hat.",
    ),
    Term.EVIDENCE: Label(
        "Your typed name", "Dein getippter Name", "Versiegelt, für den Streitfall."
    ),
    Term.AUDIT: Label(
        "The audit trail",
        "Das Prüfprotokoll",
        "Wer was womit getan hat: Verben, zufällige Nummern, Zeiten.",
    ),
    Term.RECEIPT: Label(
        "The receipt of an erasure",
        "Die Quittung einer Löschung",
        "Dass eine zufällige Nummer gelöscht wurde.",
    ),
    Term.EXPORT: Label("An export", "Ein Export", "Ob er abgeholt wurde oder nicht."),
    Term.NOTICE: Label("That a reminder was sent", "Dass erinnert wurde", "Damit es einmal ist."),
    Term.MAIL: Label("A mail in the local mailbox", "Eine Mail im lokalen Postfach", "Zum Lesen."),
    Term.STAFF_LOG: Label(
        "What staff did in the admin",
        "Was Mitarbeitende in der Verwaltung taten",
        "Nur Nummern, keine Inhalte.",
    ),
    Term.FACE_CLAIM: Label(
        "A report that your face was used",
        "Eine Meldung, dass dein Gesicht benutzt wurde",
        "Um sie zu beantworten.",
    ),
    Term.REPORT: Label(
        "That you said what is wrong with a portrait",
        "Dass du gesagt hast, was an einem Porträt falsch ist",
        "Nur ein Grund aus einer Liste, keine Worte.",
    ),
    Term.CASE: Label(
        "That you asked us for something",
        "Dass du etwas von uns verlangt hast",
        "Wann es kam, bis wann es fällig war, wie es ausging.",
    ),
    Term.CASE_WORDS: Label(
        "What was written about that",
        "Was dazu geschrieben wurde",
        "Versiegelt; mit deinem Konto ist es weg.",
    ),
    Term.LEGAL_ORDER: Label(
        "That a legal order about you was answered",
        "Dass eine behördliche Anordnung zu dir beantwortet wurde",
        "Nur Nummern und Zeiten; du erfährst davon, sobald es erlaubt ist.",
    ),
    Term.VERDICT: Label(
        "What a role could open in the daily check",
        "Was eine Rolle bei der täglichen Probe öffnen konnte",
        "Für den Nachweis.",
    ),
    Term.RESTORE: Label(
        "An entry of the erasure ledger",
        "Ein Eintrag im Löschbuch",
        "Damit eine zurückgespielte Sicherung erneut gelöscht wird.",
    ),
    Term.FLEET_SEED: Label(
        "The key of a day",
        "Der Schlüssel eines Tages",
        "Öffnet Fotos, die an diesem Tag versiegelt wurden.",
    ),
    Term.ROOT_EPOCH: Label(
        "A portrait root",
        "Eine Porträtwurzel",
        "Danach öffnet keine ältere Sicherung mehr ein Porträt.",
    ),
    Term.ALLOWANCE: Label(
        "How many portraits you asked for in a month",
        "Wie viele Porträts du in einem Monat bestellt hast",
        "Nur die Anzahl.",
    ),
    Term.EVENT: Label(
        "That the app was told that something has ended",
        "Dass der App gesagt wurde, dass etwas fertig ist",
        "Nur Nummern.",
    ),
    Term.ACCOUNT: Label(
        "An account that nobody uses",
        "Ein Konto, das niemand benutzt",
        "Du wirst vorher gewarnt; dann wird es gelöscht.",
    ),
}
# What each role does with what it can open. Which kinds those are follows from the keys it holds.
ROLES: Final[dict[str, Label]] = {
    "web": Label("Opens for their owner, one request at a time.", "Öffnet für die Person selbst."),
    "keeper": Label(
        "Rewraps owner keys; opens signatures for their signer or a dispute, and what a legal order"
        " is about once two officers have agreed to it.",
        "Verpackt Schlüssel neu; öffnet Unterschriften für die Person oder im Streitfall und was"
        " eine behördliche Anordnung verlangt, sobald zwei Verantwortliche zugestimmt haben.",
    ),
    "intake": Label("Checks and cleans photos.", "Prüft und bereinigt Fotos."),
    "gpu": Label("Paints.", "Malt."),
    "upkeep": Label("Destroys, and signs receipts.", "Vernichtet und unterschreibt Quittungen."),
    "courier": Label(
        "Tells the operator's own systems, by number, that something has ended.",
        "Sagt den eigenen Systemen des Betreibers per Nummer, dass etwas fertig ist.",
    ),
    "beat": Label("Only schedules.", "Plant nur."),
    "flower": Label("Shows which work runs, by id.", "Zeigt laufende Arbeit, nur Nummern."),
    "migrator": Label("Changes tables; holds no key.", "Ändert Tabellen; hat keinen Schlüssel."),
    "staff": Label(
        "Sees states and times in the admin, and what you write to support when answering it.",
        "Sieht Zustände und Zeiten, und was du an den Support schreibst, um zu antworten.",
    ),
}
SIGNATURES: Final = Label("typed names", "getippte Namen")
REPORTS: Final = Label(
    "reports of a face and requests to support", "Meldungen eines Gesichts und Anfragen"
)
NOTHING: Final = Label("nothing", "nichts")
NOBODY: Final = Label("nobody", "niemand")
