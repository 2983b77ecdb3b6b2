"""The public privacy facts, computed from what the code really does."""

from typing import Any

from privacy import consent, retention
from privacy.inventory import TABLES, End
from privacy.retention import DEADLINES, Term

# Which role can open what. The key table of the documentation, as data.
WHO_OPENS = {
    "web": "portraits, for their owner, one request at a time",
    "keeper": "owner keys, for rewrapping; consent evidence, in a dispute",
    "intake": "uploads and references, to check and clean them",
    "gpu": "references, to paint",
    "upkeep": "nothing; it destroys",
    "beat": "nothing; it schedules",
    "staff": "nothing; the admin shows metadata",
}


def facts() -> dict[str, Any]:
    """How long, training, who, how to delete: the four questions, and the numbers behind them."""
    return {
        "how_long": [
            {
                "what": kind.name.lower(),
                "default_seconds": int(rule.default.total_seconds()),
                "longest_seconds": int(rule.cap.total_seconds()),
                "why": rule.why,
            }
            for kind, rule in DEADLINES.items()
        ],
        "kept_after_erasure": [
            {"what": table.holds, "why": table.why, "how_long": table.keep}
            for table in TABLES
            if table.end is End.OUTLIVES
        ],
        "training": {
            "on_your_photos": False,
            "purposes_that_can_be_consented_to": consent.Purpose.values,
            "face_templates": False,
        },
        "who_sees": {"outside": [], "inside": WHO_OPENS},
        "delete": {
            "one_portrait": "DELETE /v1/portraits/{id}",
            "everything": "POST /v1/me/erasure",
            "receipt": "GET /v1/erasures/{id}",
            "keys_that_verify_it": "GET /.well-known/sitter-keys.json",
        },
        "idempotency_key_seconds": int(retention.term(Term.IDEMPOTENCY_KEY).total_seconds()),
    }
