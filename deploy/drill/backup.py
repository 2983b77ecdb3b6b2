"""A backup of PostgreSQL: pg_dump, encrypted by age to a public key while it is written.

Nothing of it touches a disk in clear, and whoever makes it cannot read it: the private half lies
where backups do not. `pg_dump … | age -r …` writes the same file, and `age -d … | pg_restore …`
reads it (deploy/docs/restore.md). It holds what the database holds, and so no key of any role.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pyrage
from psycopg.conninfo import conninfo_to_dict
from pyrage import x25519

from deploy.demo.errors import DemoError
from deploy.stack import postgres

# libpq's names, so that no password stands on a command line for others to read.
VARIABLES: Final = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
    "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT",
}  # fmt: skip
DUMP: Final = ("pg_dump", "--format=custom")
RESTORE: Final = ("pg_restore", "--clean", "--if-exists", "--single-transaction")
AS_TEXT: Final = ("pg_restore", "--file=-")
PIECE: Final = 8 * 2**20


class BackupFailed(DemoError):
    """One of the programs failed; it says which, and what it said."""


class _Kept:
    """Passes bytes on, and remembers a write that failed: a buffer in between may swallow it."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.fault: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.fault = error
            raise

    def flush(self) -> None:
        self._file.flush()


def take(url: str, file: Path, recipient: x25519.Recipient) -> int:
    """Dump a database into a file; returns its bytes. Raises BackupFailed and leaves no file."""
    with _running(DUMP, url, stdout=subprocess.PIPE) as dump, _private(file) as target:
        kept = _Kept(target)
        try:
            pyrage.encrypt_io(dump.stdout, kept, [recipient])
            os.fsync(target.fileno())
            _end(dump, DUMP)
            if kept.fault is not None:
                raise kept.fault
        except (OSError, pyrage.EncryptError, BackupFailed) as error:
            file.unlink(missing_ok=True)
            raise BackupFailed(f"The backup could not be written: {error}") from error
    return file.stat().st_size


def restore(url: str, file: Path, identity: x25519.Identity) -> None:
    """Bring a backup back, whole or not at all. Raises BackupFailed."""
    command = [*RESTORE, f"--dbname={conninfo_to_dict(url)['dbname']}"]
    with _running(command, url, stdin=subprocess.PIPE) as program:
        _decrypt(file, program, identity)
        _end(program, command)


def text(file: Path, identity: x25519.Identity) -> Iterator[bytes]:
    """What a backup says, as SQL, in pieces: for looking into it. Raises BackupFailed."""
    with _running(AS_TEXT, "", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        faults: list[BackupFailed] = []

        def feed() -> None:
            try:
                _decrypt(file, program, identity)
            except BackupFailed as fault:
                faults.append(fault)

        feeder = Thread(target=feed, daemon=True)
        feeder.start()
        while program.stdout and (piece := program.stdout.read(PIECE)):
            yield piece
        feeder.join()
        for fault in faults:
            raise fault
        _end(program, AS_TEXT)


def _decrypt(file: Path, program: "subprocess.Popen[bytes]", identity: x25519.Identity) -> None:
    """Into a program's standard input, which ends with it. What is torn ends the program."""
    sink: Any = program.stdin
    try:
        with file.open("rb") as source:
            pyrage.decrypt_io(source, sink, [identity])
        sink.close()
    except BrokenPipeError:
        # It ended before it had read everything, and has said why.
        with suppress(OSError):
            sink.close()
    except (OSError, pyrage.DecryptError) as error:
        program.kill()
        raise BackupFailed(f"The backup cannot be read: {error}") from error


def _running(command: Sequence[str], url: str, **pipes: Any) -> "subprocess.Popen[bytes]":
    program = postgres.program() / "bin" / command[0]
    return subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
        [program, *command[1:]], env=_environment(url), stderr=subprocess.PIPE, **pipes
    )


def _environment(url: str) -> dict[str, str]:
    said = conninfo_to_dict(url) if url else {}
    login = {VARIABLES[name]: str(value) for name, value in said.items() if name in VARIABLES}
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **login}


def _end(program: "subprocess.Popen[bytes]", command: Sequence[str]) -> None:
    complaint = program.stderr.read().decode("utf-8", "replace") if program.stderr else ""
    if program.wait():
        raise BackupFailed(f"{command[0]} ended with {program.returncode}: {complaint[-500:]}")


def _private(file: Path) -> FileIO:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    # Without a buffer of Python's: a full disk is noticed where it is written.
    return os.fdopen(descriptor, "wb", buffering=0)
