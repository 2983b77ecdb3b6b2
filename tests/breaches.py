"""A list of passwords that became known by breaches, in the form of Have I Been Pwned."""

import hashlib
from pathlib import Path

# What the whole stack of the tests has on its list.
PASSWORD = "Known-Far-And-Wide-7431"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def write(file: Path, *passwords: str, ending: str = "\r\n") -> Path:
    """These, among a thousand others, each with how often it was seen."""
    others = (f"other-{number}" for number in range(1000))
    lines = sorted(digest(password) for password in (*passwords, *others))
    file.write_bytes(ending.join(f"{line}:{len(line)}" for line in lines).encode())
    return file
