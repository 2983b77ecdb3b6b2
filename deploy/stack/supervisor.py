"""The stack as one object: services, then the database, then the roles; and all of it down again.

It refuses production, a second supervisor on the same data, and to leave anything running.
"""

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from signal import SIGKILL, Signals
from types import TracebackType
from typing import Self

from deploy.env import ROOT, Role
from deploy.stack import certificates, compartments, credentials, managed, roles, schema, state
from deploy.stack.compartments import COMPARTMENTS
from deploy.stack.credentials import STAFF
from deploy.stack.crew import Crew, Member, Report
from deploy.stack.errors import AlreadyRunning, ProductionRefused, ServiceDown, StackError
from deploy.stack.folders import DEFAULT, Folders
from deploy.stack.ports import Ports
from deploy.stack.process import Command, Guard, Process
from deploy.stack.services import Services
from deploy.stack.state import Urls

TRUE = {"1", "true", "t", "yes", "y", "on"}
MIGRATION_PATIENCE = 180.0
# How long a guard may need to clean up after a supervisor that was killed.
LOCK_PATIENCE = 8.0


class Stack:
    """Use it as a context manager: inside, everything asked for is ready."""

    def __init__(
        self,
        data: Path = DEFAULT,
        *,
        roles: Collection[Role] = roles.ALL,
        tests: bool = False,
        preferred_ports: bool = True,
        restart: bool = True,
        extra_env: Mapping[str, str] | None = None,
        report: Report = lambda _name, _what: None,
    ) -> None:
        if os.environ.get("SITTER_PRODUCTION", "").strip().lower() in TRUE:
            raise ProductionRefused
        self.folders = Folders(data.resolve())
        self.roles = tuple(roles)
        self._tests = tests
        self._preferred_ports = preferred_ports
        self._extra_env = dict(extra_env or {})
        self._report = report
        self._crew = Crew(restart=restart, report=self._heard)
        self._writing = threading.Lock()
        self._lock: int | None = None
        self._guard: Guard | None = None
        self._services: Services | None = None

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Services ready, database up to date, roles started; `wait_ready` waits for the roles."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self.folders.make()
        self._lock = _take(self.folders)
        self.folders.state.unlink(missing_ok=True)
        self._guard = Guard(mark=secrets.token_hex(16), lock=self._lock)
        self.credentials = credentials.load(self.folders)
        certificates.ensure(self.folders.keys("c2pa"))
        self.ports = Ports(self.folders.data / "ports.json", preferred=self._preferred_ports)
        given = managed.read(os.environ)
        self._services = Services(self.folders, self.ports, self.credentials, given)
        for name in self._services.names:
            self._report(name, "starting")
        self._services.start(self._crew, self._guard, tests=self._tests)
        ordered = sorted(self.roles, key=roles.ORDER.index)
        waiting = [role for role in ordered if COMPARTMENTS[role].database]
        # Who has no login cannot meet a table that is not there yet, and need not wait for it.
        for role in ordered:
            if role not in waiting:
                self.start_role(role)
        if waiting:
            self.migrate()
        for role in waiting:
            self.start_role(role)
        self._write_state()

    def stop(self) -> None:
        services = self._services
        own = services.names if services else []
        self._crew.end([[name for name in self._crew.members if name not in own], own])
        if services:
            services.clean()
            self._services = None
        if self._guard:
            self._guard.dismiss()
            self._guard = None
        if self._lock is not None:
            self.folders.state.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def wait_ready(self, timeout: float = 90.0) -> None:
        self._crew.wait_ready(timeout)

    def migrate(self) -> None:
        """Tables and grants as the code wants them; nothing is run where nothing has changed."""
        env = self.env(Role.MIGRATOR)
        url = env["SITTER_DATABASE_URL"]
        self._report("migrate", "starting")
        if not schema.current(url):
            self._run_migrations(env)
            schema.stamp(url)
        self._report("migrate", "ready")

    def _run_migrations(self, env: Mapping[str, str]) -> None:
        log = self.folders.log("migrate")
        argv = [roles.PYTHON, "-m", "deploy.stack.migrate"]
        staff = {
            "DJANGO_SUPERUSER_EMAIL": STAFF,
            "DJANGO_SUPERUSER_PASSWORD": self.credentials["admin"],
        }
        command = Command("migrate", argv, {**env, **staff}, ROOT, log)
        process = Process(command, self._running_guard())
        deadline = time.monotonic() + MIGRATION_PATIENCE
        while not process.wait(0.1):
            if self._crew.over or time.monotonic() > deadline:
                break
        process.bury()
        if process.returncode:
            reason = f"the migrations ended with status {process.returncode}."
            raise ServiceDown("migrate", reason, f"its log {log}")

    def env(self, role: Role) -> dict[str, str]:
        """Exactly what a process of this role may have."""
        if self._services is None:
            raise StackError("The stack is not started.")
        given = compartments.environment(
            role,
            addresses=self._services.addresses,
            folders=self.folders,
            credentials=self.credentials,
            web=self.urls.web,
            flower=f"127.0.0.1:{self.ports['flower']}",
            inherited=os.environ,
        )
        return given | self._extra_env

    def start_role(
        self, role: Role, *, index: int = 0, extra_env: Mapping[str, str] | None = None
    ) -> Member:
        """Start one more process of a role; the same index runs once."""
        launch = roles.Launch(role, index, self.folders, self.ports)
        env = self.env(role) | dict(extra_env or {})
        guard = self._running_guard()

        def run() -> Process:
            return Process(launch.command(env), guard)

        return self._crew.start(launch.name, run, launch.answers, launch.complaint)

    def stop_role(self, role: Role, *, index: int = 0) -> None:
        """End it cleanly and for good."""
        self._crew.stop([roles.full_name(role, index)])

    def kill_role(self, role: Role, sig: Signals = SIGKILL, *, index: int = 0) -> None:
        """What a test does to it; it comes back if the stack restarts its roles."""
        self._crew.kill(roles.full_name(role, index), sig)

    def kill_service(self, name: str, sig: Signals = SIGKILL) -> None:
        self._crew.kill(name, sig)

    def pid(self, role: Role | str, *, index: int = 0) -> int:
        """Of a role, or of the service `postgres`, `valkey` or `s3`."""
        name = roles.full_name(role, index) if isinstance(role, Role) else role
        return self._crew.members[name].pid

    def logs(self, role: Role | str, *, index: int = 0) -> Path:
        name = roles.full_name(role, index) if isinstance(role, Role) else role
        return self.folders.log(name)

    @property
    def urls(self) -> Urls:
        if self._services is None:
            raise StackError("The stack is not started.")
        here = "http://127.0.0.1"
        return Urls(
            web=f"{here}:{self.ports['web']}",
            flower=f"{here}:{self.ports['flower']}/admin/flower",
            s3=self._services.addresses.s3_endpoint,
        )

    @property
    def admin_database_url(self) -> str:
        """The administrator's own address; no role is ever given it."""
        if self._services is None:
            raise StackError("The stack is not started.")
        return self._services.addresses.postgres_admin

    def _running_guard(self) -> Guard:
        if self._guard is None:
            raise StackError("The stack is not started.")
        return self._guard

    def _heard(self, name: str, what: str) -> None:
        if self.folders.state.exists():
            self._write_state()
        self._report(name, what)

    def _write_state(self) -> None:
        services = self._services
        if services is None:
            return
        with self._writing:
            running = {name: member.pid for name, member in list(self._crew.members.items())}
            bucket = services.addresses.s3_bucket
            state.write(self.folders, urls=self.urls, bucket=bucket, running=running)


def _take(folders: Folders) -> int:
    """The data folder's lock; the guard of a killed supervisor is given time to let go of it."""
    descriptor = os.open(folders.lock, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if state.supervised(folders) or time.monotonic() > deadline:
                os.close(descriptor)
                raise AlreadyRunning(folders.data) from None
            time.sleep(0.05)
        else:
            return descriptor
