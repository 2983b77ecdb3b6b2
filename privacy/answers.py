"""The questions of the privacy facts, the answers in English and German, and what proves each.

Numbers are never written here: `{…}` is filled from live settings by policy.py. A proof is a
command of this repository or an address of the API; a test asks whether each of them exists.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Answer:
    """One question, answered, and how to check that."""

    asks: str
    says: str
    fragt: str
    sagt: str
    proof: tuple[str, ...]


ANSWERS: Final[dict[str, Answer]] = {
    "how_long": Answer(
        "How long do you keep my pictures?",
        "Each kind has a deadline from the moment it exists. Sweeps destroy it then, and the same"
        " table decides what they do and what you read here.",
        "Wie lange behaltet ihr meine Bilder?",
        "Jede Art hat eine Frist, sobald es sie gibt. Dann wird sie vernichtet, und dieselbe"
        " Tabelle bestimmt, was geschieht und was du hier liest.",
        ("pytest tests/privacy/test_facts.py", "GET /v1/me/holdings"),
    ),
    "training": Answer(
        "Do you train on my face?",
        "Never. There is nothing to opt out of, because the purpose does not exist: no consent text"
        " names it, no gradient is ever enabled, no template of a face is computed.",
        "Trainiert ihr mit meinem Gesicht?",
        "Nie. Du musst nichts abwählen, denn den Zweck gibt es nicht: kein Einwilligungstext nennt"
        " ihn, kein Gradient ist je eingeschaltet, kein Gesichtsmuster wird berechnet.",
        ("pytest tests/rules/test_what_the_code_never_does.py", "make prove"),
    ),
    "outside": Answer(
        "Who outside gets to see it?",
        "Those named here, and nobody else. The workers that open photos reach no other address.",
        "Wer außerhalb bekommt es zu sehen?",
        "Die hier genannten und niemand sonst. Wer Fotos öffnet, erreicht keine andere Adresse.",
        ("pytest tests/rules/test_egress.py", "GET /v1/privacy/facts"),
    ),
    "inside": Answer(
        "Who inside can open what?",
        "Each process holds the keys of its own task. No process can open everything, and staff"
        " can open no picture and no prompt; they read what you write to them, and that is on"
        " record.",
        "Wer im Haus kann was öffnen?",
        "Jeder Prozess hat die Schlüssel seiner Aufgabe. Keiner kann alles öffnen, und"
        " Mitarbeitende können kein Bild und keinen Prompt öffnen; sie lesen, was du ihnen"
        " schreibst, und das wird vermerkt.",
        ("make prove", "manage.py who_opened", "GET /v1/transparency"),
    ),
    "delete": Answer(
        "How do I delete it?",
        "By one call, without asking us and without a reason. The key goes first, so it is"
        " unreadable at once; then bodies and rows; then a signed receipt that anybody can check.",
        "Wie lösche ich es?",
        "Mit einem Aufruf, ohne uns zu fragen und ohne Grund. Zuerst geht der Schlüssel, also ist"
        " es sofort unlesbar; dann Daten und Zeilen; dann kommt eine signierte Quittung, die jeder"
        " prüfen kann.",
        ("make prove", "GET /v1/erasures/{id}", "GET /.well-known/sitter-keys.json"),
    ),
    "licence": Answer(
        "What rights in my pictures do you take?",
        "None. They are yours, photos and portraits alike. They are never shown in marketing and"
        " never sold, lent or licensed to anybody.",
        "Welche Rechte an meinen Bildern nehmt ihr?",
        "Keine. Sie gehören dir, Fotos wie Porträts. Sie erscheinen nie in Werbung und werden nie"
        " verkauft, verliehen oder lizenziert.",
        ("GET /v1/consents/documents",),
    ),
    "sale": Answer(
        "What if the company is sold?",
        "Nothing moves without a new consent of yours to whoever buys it. Without it, everything"
        " ends by the deadlines above, or at once by your own call.",
        "Was geschieht, wenn die Firma verkauft wird?",
        "Nichts geht über ohne eine neue Einwilligung von dir gegenüber dem Käufer. Ohne sie endet"
        " alles nach den Fristen oben oder sofort durch deinen Aufruf.",
        ("GET /v1/consents/documents", "GET /v1/consents"),
    ),
    "complaints": Answer(
        "Where do I complain?",
        "With us first if you like, and with a supervisory authority at any time. If your face was"
        " used without your consent, you need no account to tell us; we answer within {claim}.",
        "Wo beschwere ich mich?",
        "Wenn du magst, zuerst bei uns, und jederzeit bei einer Aufsichtsbehörde. Wurde dein"
        " Gesicht ohne deine Einwilligung benutzt, brauchst du kein Konto; Antwort binnen:"
        " {claim}.",
        ("POST /v1/face-claims", "POST /v1/me/requests"),
    ),
    "outlives": Answer(
        "What outlives an erasure?",
        "This, under a random id that names nobody, each for its term, and nothing else.",
        "Was überdauert eine Löschung?",
        "Dies, unter einer zufälligen Nummer, die niemanden nennt, jedes für seine Frist, und sonst"
        " nichts.",
        ("GET /v1/erasures/{id}", "manage.py verify_ledger"),
    ),
    "limits": Answer(
        "What can you not promise?",
        "This. It is better that you read it here.",
        "Was könnt ihr nicht versprechen?",
        "Dies. Besser, du liest es hier.",
        ("make prove",),
    ),
}

# What is true and not nice: (English, German).
LIMITS: Final[tuple[tuple[str, str], ...]] = (
    (
        "Where all roles run on one machine under one user, they are kept apart by their settings"
        " alone: whoever controls that user or the machine can read every key. In a deployment"
        " each role has an account, a login and a key policy of its own.",
        "Laufen alle Rollen auf einem Rechner unter einem Benutzer, trennen sie nur ihre"
        " Einstellungen: Wer diesen Benutzer oder den Rechner beherrscht, kann jeden Schlüssel"
        " lesen. Im Betrieb hat jede Rolle ein eigenes Konto, einen eigenen Zugang und eigene"
        " Schlüsselrechte.",
    ),
    (
        "While a photo is sealed, checked or painted, and while a portrait is sent to you, it lies"
        " open in the memory of that one process.",
        "Während ein Foto versiegelt, geprüft oder gemalt und während ein Porträt an dich gesendet"
        " wird, liegt es offen im Speicher dieses einen Prozesses.",
    ),
    (
        "Sealed bytes that were deleted may remain on a disk until they are overwritten. Without"
        " their key they are noise.",
        "Gelöschte versiegelte Bytes können auf einer Platte liegen, bis sie überschrieben werden."
        " Ohne ihren Schlüssel sind sie Rauschen.",
    ),
    (
        "Your e-mail address lies in the database in clear. After an erasure its tables are"
        " rewritten within {compact}; backups keep it until their operator deletes them.",
        "Deine E-Mail-Adresse liegt lesbar in der Datenbank. Nach einer Löschung werden ihre"
        " Tabellen neu geschrieben, spätestens nach: {compact}; Sicherungen behalten sie, bis ihr"
        " Betreiber sie löscht.",
    ),
    (
        "A backup could open portraits until the root of its time is destroyed: {root} at most.",
        "Eine Sicherung könnte Porträts öffnen, bis die Wurzel ihrer Zeit vernichtet ist: höchstens"
        " {root}.",
    ),
    (
        "What you downloaded, shared or exported is out of our reach.",
        "Was du heruntergeladen, geteilt oder exportiert hast, erreichen wir nicht.",
    ),
    (
        "A court or an authority can order us to hand out what we hold on you. Two of our officers"
        " must agree, it is sealed to whoever ordered it and is on record, and you are told, at"
        " once or as soon as the order allows it.",
        "Ein Gericht oder eine Behörde kann anordnen, dass wir herausgeben, was wir über dich"
        " haben. Zwei von uns müssen zustimmen, es wird für die anordnende Stelle versiegelt und"
        " vermerkt, und du erfährst es, sofort oder sobald die Anordnung es erlaubt.",
    ),
)
# How each scope is deleted: key of the facts → (call, English, German).
DELETIONS: Final[dict[str, tuple[str, str, str]]] = {
    "one_photo": ("DELETE /v1/reference-sets/{id}/photos/{slot}", "one photo", "ein Foto"),
    "one_set": ("DELETE /v1/reference-sets/{id}", "one set of photos", "einen Satz Fotos"),
    "one_portrait": (
        "DELETE /v1/portraits/{id}",
        "one portrait, all its sizes",
        "ein Porträt in allen Größen",
    ),
    "everything_that_shows_you": (
        'POST /v1/me/erasure {"scope": "biometric"}',
        "every photo and portrait; the account stays",
        "alle Fotos und Porträts; das Konto bleibt",
    ),
    "everything": ("POST /v1/me/erasure", "everything, the account too", "alles, auch das Konto"),
    "receipt": ("GET /v1/erasures/{id}", "the signed receipt", "die signierte Quittung"),
    "keys_that_verify_it": (
        "GET /.well-known/sitter-keys.json",
        "the keys that verify it",
        "die Schlüssel, die sie prüfen",
    ),
}
COPY: Final = "POST /v1/me/export"
# Place → (German, address).
AUTHORITIES: Final[dict[str, tuple[str, str]]] = {
    "European Union": (
        "Europäische Union",
        "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
    ),
    "United Kingdom": ("Vereinigtes Königreich", "https://ico.org.uk/make-a-complaint/"),
    "Illinois": ("Illinois", "https://illinoisattorneygeneral.gov"),
    "Texas": ("Texas", "https://www.texasattorneygeneral.gov"),
    "Washington": ("Washington", "https://www.atg.wa.gov"),
    "California": ("Kalifornien", "https://cppa.ca.gov"),
}
