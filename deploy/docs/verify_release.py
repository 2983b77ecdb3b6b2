"""Checks an exported consent release without Sitter: python verify_release.py release.json"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

STATEMENTS = (
    ("What is collected", "Purpose and length of term", "Your written release"),
    ("Was erhoben wird", "Zweck und Dauer", "Ihre schriftliche Freigabe"),
)


def faults(release: dict[str, Any]) -> list[str]:
    """What does not hold. The evidence is hashed as JSON: keys sorted, no spaces, UTF-8."""
    text, said, line = release["text"], release["evidence"], release["ledger"]
    whole = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    digest = hashlib.sha256(whole).hexdigest()
    told = (all(f"\n{heading}\n" in text for heading in three) for three in STATEMENTS)
    tests = {
        "The text is not the one that was signed.":
            hashlib.sha256(text.encode()).hexdigest() == said["text_sha256"],
        "The text lacks a statement: collection, purpose and term, release.": any(told),
        "The text names another term.": said["term"] in text,
        "Nobody typed a name.": bool(said["typed_name"].strip()),
        "There was no intent to sign.": said["act"] == "typed-name" and said["intent"] is True,
        "It was signed before it was shown.": said["shown_at"] <= said["signed_at"],
        "The ledger's digest is another.": line["release_sha256"] == digest,
        "The ledger's line is another.":
            (line["verb"], line["id"], line["document"], line["at"], line["shown_at"])
            == ("granted", said["consent"], said["document"], said["signed_at"], said["shown_at"]),
    }  # fmt: skip
    return [sentence for sentence, holds in tests.items() if not holds]


if __name__ == "__main__":
    found = faults(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    sys.stdout.write("\n".join(found or ["The release holds."]) + "\n")
    sys.exit(bool(found))
