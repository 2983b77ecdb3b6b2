"""What `make fuzz` runs: hostile files, the decoder and the whole contract, at their whole size.

    python -m tests.fuzz [hostile_files decoder contract]

For the hostile files it fetches the corpora of others first (tests/fuzz/corpora.py); without a
network they are missing, and the figure says of how many files it speaks. SITTER_FUZZ_MINUTES is
what each decoder gets.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

from deploy import figures
from tests.fuzz import corpora

FILES: Final = {
    "hostile_files": "test_hostile_files.py",
    "decoder": "test_the_decoder_is_fuzzed.py",
    "contract": "test_the_contract_is_walked.py",
}
ROWS: Final = ("I-01", "I-02", "schemathesis")


def main(names: Sequence[str]) -> int:
    """1 if something was found."""
    if unknown := set(names) - set(FILES):
        _say(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(FILES)}.")
        return 2
    began = time.monotonic()
    if not names or "hostile_files" in names:
        _say(f"Corpora of others: {sum(1 for _ in corpora.files())} files at hand.")
    if subprocess.run([sys.executable, "-c", "import atheris"], check=False).returncode:
        _say("atheris is not installed: files are changed blindly, and I-02 is not claimed.")
    files = [f"tests/fuzz/{FILES[name]}" for name in names or FILES]
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--durations=0", *files]
    env = {**os.environ, "SITTER_FUZZ": "long"}
    failed = subprocess.run(command, env=env, check=False).returncode
    found = [row for row in figures.best() if row["id"] in ROWS]
    _say(figures.table(found))
    for line in found:
        _say(f"{line['id']}: {line['conditions']}")
    _say(f"{(time.monotonic() - began) / 60:.0f} minutes; raw: {corpora.FOLDER}")
    return int(bool(failed))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
