"""The public privacy facts, computed from what the code really does. Nothing is typed in twice."""

from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings

from privacy import consent, retention
from privacy.answers import ANSWERS, AUTHORITIES, COPY, DELETIONS, LIMITS
from privacy.checks import HELD
from privacy.crypto import Recipient
from privacy.inventory import STORES, TABLES, End, rule
from privacy.labels import ROLES
from privacy.retention import DEADLINES, FACE_CLAIM_ANSWER, TERMS, Rule, Term
from privacy.vault import RECIPIENTS
from privacy.wording import length

# What a key folder lets its holder open; receipt keys sign and open nothing.
OPENS: Final = {
    "ROOT_KEYS": Recipient.OWNER,
    "FLEET_KEYS": Recipient.FLEET,
    "EVIDENCE_KEYS": Recipient.EVIDENCE,
}
SIGNATURE: Final = "signature"
REPORT: Final = "face_report"


def who_opens() -> dict[str, list[str]]:
    """Role → what the keys that it holds can open, by kind. Computed from checks and vault."""
    return {role: list(_opens(HELD.get(role, set()))) for role in ROLES}


def _opens(folders: set[str]) -> Iterator[str]:
    recipients = {OPENS[name] for name in folders if name in OPENS}
    yield from (kind.name.lower() for kind, to in RECIPIENTS.items() if to in recipients)
    if Recipient.EVIDENCE in recipients:
        yield SIGNATURE
    if Recipient.OWNER in recipients:
        yield REPORT


def outlives() -> list[Term]:
    """The terms of what is kept after an erasure, in the inventory and in the erasure ledger."""
    kept = {table.kept for table in TABLES if table.end is End.OUTLIVES}
    ledger = {store.kept for store in STORES if store.name == "erasure ledger"}
    return [what for what in Term if what in kept | ledger]


def filled(text: str, language: str = "en") -> str:
    """A sentence with the numbers of this installation in it."""
    return text.format(
        claim=length(FACE_CLAIM_ANSWER, language),
        compact=length(settings.COMPACT_EVERY, language),
        root=length(retention.term(Term.ROOT_EPOCH), language),
        id="{id}",
    )


def _rule(what: str, found: Rule) -> dict[str, Any]:
    return {
        "what": what,
        "default_seconds": int(found.default.total_seconds()),
        "longest_seconds": int(found.cap.total_seconds()),
        "why": found.why,
    }


def _seconds(kept: Any) -> int | None:
    found = rule(kept)
    return int(found.cap.total_seconds()) if found else None


def _outliving() -> list[dict[str, Any]]:
    return [
        {
            "what": table.holds,
            "why": table.why,
            "how_long": table.keep,
            "seconds": _seconds(table.kept),
        }
        for table in TABLES
        if table.end is End.OUTLIVES
    ]


def _places() -> list[dict[str, Any]]:
    return [
        {
            "what": store.name,
            "holds": store.holds,
            "why": store.why,
            "how_long": store.keep,
            "seconds": _seconds(store.kept),
        }
        for store in STORES
    ]


def _inside() -> dict[str, Any]:
    return {
        role: {
            "can_open": opens,
            "keys": sorted(HELD.get(role, set())),
            "does": ROLES[role].en,
        }
        for role, opens in who_opens().items()
    }


def facts() -> dict[str, Any]:
    """Every question with its answer, the numbers behind it, and what proves it."""
    return {
        "version": settings.VERSION,
        "build": settings.BUILD or None,
        "how_long": [_rule(kind.name.lower(), found) for kind, found in DEADLINES.items()],
        "how_long_else": [_rule(what.value, found) for what, found in TERMS.items()],
        "kept_after_erasure": _outliving(),
        "kept_beside_the_tables": _places(),
        "training": {
            "on_your_photos": False,
            "purposes_that_can_be_consented_to": consent.Purpose.values,
            "face_templates": False,
        },
        "who_sees": {
            "outside": settings.PROCESSORS,
            "inside": _inside(),
        },
        "delete": {name: call for name, (call, _, _) in DELETIONS.items()},
        "copy": COPY,
        "licence": {"in_your_pictures": None, "marketing": False, "sold": False},
        "sale_of_the_company": {"moves_without_new_consent": False},
        "complaints": {
            "contact": settings.CONTACT or None,
            "authorities": {place: address for place, (_, address) in AUTHORITIES.items()},
            "face_report": "POST /v1/face-claims",
            "face_report_answer_seconds": int(FACE_CLAIM_ANSWER.total_seconds()),
        },
        "cannot_promise": [filled(english) for english, _ in LIMITS],
        "answers": {
            name: {
                "asks": answer.asks,
                "says": filled(answer.says),
                "proof": list(answer.proof),
            }
            for name, answer in ANSWERS.items()
        },
        "idempotency_key_seconds": int(retention.term(Term.IDEMPOTENCY_KEY).total_seconds()),
    }
