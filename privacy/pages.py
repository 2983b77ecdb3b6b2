"""`/privacy`: the public facts as a page that anybody can read, in English and German.

It shows what policy.py computes and adds words, nothing else. No script, no cookie, no address of
anybody else.
"""

import math
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from privacy import policy
from privacy.answers import ANSWERS, AUTHORITIES, COPY, DELETIONS, LIMITS
from privacy.labels import KINDS, NOBODY, NOTHING, REPORTS, ROLES, SIGNATURES, TERMS, Label
from privacy.retention import DEADLINES, Kind, Rule
from privacy.retention import TERMS as RULES
from privacy.wording import LANGUAGES, length

WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Privacy facts",
        "claim": "Your face is a guest, never a resident.",
        "lede": "What we keep, for how long, who can open it, and how you end it. Every number on"
        " this page is read from the running system, and every answer names what proves it.",
        "skip": "Skip to the answers",
        "contents": "Questions",
        "proof": "Check it yourself",
        "longest": "at most",
        "role": "Process",
        "opens": "Can open",
        "does": "What it does",
        "pictures": "Your pictures and words",
        "else": "Everything else",
        "scale": "The bars show time on a scale that grows tenfold: solid is the usual length,"
        " pale the longest that can be chosen.",
        "call": "Call",
        "ends": "What it ends",
        "copy": "Before you go, you can take a copy of everything along",
        "receipt": "The receipt needs no account, only its number",
        "contact": "Our address",
        "region": "Region",
        "card_upload": "a photo as you sent it",
        "card_reference": "a cleaned photo, at most {0}",
        "card_portrait": "a portrait, unless you say otherwise",
        "card_training": "models trained on you",
        "card_outside": "outside gets your pictures",
        "machine": "The same as JSON",
        "code": "The code that runs",
    },
    "de": {
        "title": "Datenschutz in Fakten",
        "claim": "Dein Gesicht ist zu Gast und wohnt hier nie.",
        "lede": "Was wir behalten, wie lange, wer es öffnen kann und wie du es beendest. Jede Zahl"
        " auf dieser Seite kommt aus dem laufenden System, und jede Antwort nennt ihren Beweis.",
        "skip": "Zu den Antworten",
        "contents": "Fragen",
        "proof": "Prüfe es selbst",
        "longest": "höchstens",
        "role": "Prozess",
        "opens": "Kann öffnen",
        "does": "Was er tut",
        "pictures": "Deine Bilder und Worte",
        "else": "Alles andere",
        "scale": "Die Balken zeigen Zeit auf einer Skala, die sich verzehnfacht: kräftig ist die"
        " übliche Frist, blass die längste, die man wählen kann.",
        "call": "Aufruf",
        "ends": "Was er beendet",
        "copy": "Bevor du gehst, kannst du eine Kopie von allem mitnehmen",
        "receipt": "Die Quittung braucht kein Konto, nur ihre Nummer",
        "contact": "Unsere Adresse",
        "region": "Region",
        "card_upload": "ein Foto, wie du es schickst",
        "card_reference": "ein bereinigtes Foto, höchstens {0}",
        "card_portrait": "ein Porträt, wenn du nichts anderes sagst",
        "card_training": "Modelle, die mit dir trainieren",
        "card_outside": "außerhalb bekommt deine Bilder",
        "machine": "Dasselbe als JSON",
        "code": "Der laufende Code",
    },
}
_LONGEST: Final = max(found.cap for found in (*DEADLINES.values(), *RULES.values()))
_MINUTE: Final = timedelta(minutes=1)


def language_of(request: HttpRequest) -> str:
    """`?lang=`, else the first language of the browser that we speak, else English."""
    asked = request.GET.get("lang", "")
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    for wanted in (asked, *(code for code, _ in accepted)):
        if wanted.split("-")[0].lower() in LANGUAGES:
            return wanted.split("-")[0].lower()
    return LANGUAGES[0]


@require_safe
def privacy_page(request: HttpRequest) -> HttpResponse:
    """The page."""
    language = language_of(request)
    response = render(request, "privacy/facts.html", context(language))
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    return response


def context(language: str) -> dict[str, Any]:
    """Everything that the template shows."""
    words = WORDS[language]
    return {
        "language": language,
        "languages": [name for name in LANGUAGES if name != language],
        "words": words,
        "cards": _cards(words, language),
        "sections": [
            {
                "name": name,
                "asks": answer.asks if language == "en" else answer.fragt,
                "says": policy.filled(answer.says if language == "en" else answer.sagt, language),
                "proof": answer.proof,
            }
            for name, answer in ANSWERS.items()
        ],
        "kinds": [_row(KINDS[kind], rule, language) for kind, rule in DEADLINES.items()],
        "terms": [_row(TERMS[term], rule, language) for term, rule in RULES.items()],
        "outlives": [_row(TERMS[term], RULES[term], language) for term in policy.outlives()],
        "outside": settings.PROCESSORS,
        "nobody": _in(NOBODY, language).capitalize(),
        "inside": [
            {"role": role, "opens": _named(opens, language), "does": _in(ROLES[role], language)}
            for role, opens in policy.who_opens().items()
        ],
        "deletions": [
            {"call": call, "ends": english if language == "en" else german}
            for call, english, german in DELETIONS.values()
            if not call.startswith("GET")
        ],
        "calls": [(words["copy"], COPY), (words["receipt"], DELETIONS["receipt"][0])],
        "contact": settings.CONTACT,
        "authorities": [
            {"place": place if language == "en" else ort, "address": address}
            for place, (ort, address) in AUTHORITIES.items()
        ],
        "limits": [
            policy.filled(english if language == "en" else german, language)
            for english, german in LIMITS
        ],
        "version": " ".join(filter(None, (settings.VERSION, settings.BUILD[:12]))),
    }


def _in(label: Label, language: str) -> str:
    return label.en if language == "en" else label.de


def _cards(words: dict[str, str], language: str) -> list[dict[str, str]]:
    reference = DEADLINES[Kind.REFERENCE]
    outside = str(len(settings.PROCESSORS)) if settings.PROCESSORS else _in(NOBODY, language)
    longest = length(reference.cap, language)
    return [
        {
            "figure": length(DEADLINES[Kind.UPLOAD].default, language),
            "text": words["card_upload"],
        },
        {
            "figure": length(reference.default, language),
            "text": words["card_reference"].format(longest),
        },
        {
            "figure": length(DEADLINES[Kind.PORTRAIT].default, language),
            "text": words["card_portrait"],
        },
        {"figure": "0", "text": words["card_training"]},
        {"figure": outside, "text": words["card_outside"]},
    ]


def _row(label: Label, rule: Rule, language: str) -> dict[str, Any]:
    return {
        "name": _in(label, language),
        "why": rule.why if language == "en" else label.warum,
        "usual": length(rule.default, language),
        "longest": length(rule.cap, language) if rule.cap != rule.default else "",
        "bar": _share(rule.default),
        "pale": _share(rule.cap),
    }


def _share(span: timedelta) -> int:
    """How long the bar is, in percent: a minute is nothing, the longest term is all of it."""
    return round(100 * math.log(span / _MINUTE) / math.log(_LONGEST / _MINUTE))


def _named(opens: list[str], language: str) -> str:
    """What a role can open, in words."""
    others = {policy.SIGNATURE: SIGNATURES, policy.REPORT: REPORTS}
    labels = [others[what] if what in others else KINDS[Kind[what.upper()]] for what in opens]
    names = [_in(label, language) for label in labels]
    return "; ".join(name[0].lower() + name[1:] for name in names) or _in(NOTHING, language)
