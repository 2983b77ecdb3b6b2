"""The three services together: those that the stack starts, and those that are given to it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from deploy.stack import logins
from deploy.stack.compartments import Addresses
from deploy.stack.credentials import Credentials
from deploy.stack.crew import Crew, Member
from deploy.stack.folders import Folders
from deploy.stack.managed import Managed
from deploy.stack.ports import Ports
from deploy.stack.postgres import Postgres
from deploy.stack.process import Guard, Process
from deploy.stack.seaweed import BUCKET, LEDGER, REGION, Seaweed
from deploy.stack.service import Service, bring_up
from deploy.stack.valkey import Valkey

SETTLING_PATIENCE = 30.0


class Services:
    def __init__(
        self, folders: Folders, ports: Ports, credentials: Credentials, managed: Managed
    ) -> None:
        self._credentials = credentials
        self._managed = managed
        self._settling: Process | None = None
        self.postgres = None if managed.postgres_url else Postgres(folders, ports, credentials)
        self.valkey = None if managed.broker_url else Valkey(folders, ports, credentials)
        self.s3 = None if managed.s3_endpoint_url else Seaweed(folders, ports, credentials)

    @property
    def own(self) -> list[Service]:
        return [service for service in (self.postgres, self.s3, self.valkey) if service]

    @property
    def names(self) -> list[str]:
        return [service.name for service in self.own]

    @property
    def addresses(self) -> Addresses:
        managed, credentials = self._managed, self._credentials
        return Addresses(
            postgres_admin=self.postgres.admin_url if self.postgres else managed.postgres_url or "",
            broker=self.valkey.url if self.valkey else managed.broker_url or "",
            s3_endpoint=self.s3.endpoint if self.s3 else managed.s3_endpoint_url or "",
            s3_access_key=credentials["s3_access_key"] if self.s3 else managed.s3_access_key,
            s3_secret_key=credentials["s3_secret_key"] if self.s3 else managed.s3_secret_key,
            s3_bucket=BUCKET if self.s3 else managed.s3_bucket,
            ledger_bucket=LEDGER if self.s3 else managed.ledger_bucket,
            s3_region=REGION if self.s3 else managed.s3_region,
        )

    def start(self, crew: Crew, guard: Guard, *, tests: bool) -> None:
        """All at once; returns when each has answered and the logins exist."""
        self._managed.check()
        if self.s3:
            self.s3.tests = tests
        with ThreadPoolExecutor(max_workers=3, thread_name_prefix="stack-service") as pool:
            begun = [
                pool.submit(self._start_one, service, crew, guard, lambda: crew.over)
                for service in self.own
            ]
            try:
                for future in begun:
                    future.result()
            except BaseException:
                # The pool waits for its threads, so they are told first that it is over.
                crew.cancel()
                raise
        if self.postgres:
            self._settling = self.postgres.settle(guard)
        logins.provision(self.addresses.postgres_admin, self._credentials, tests=tests)

    def _start_one(
        self, service: Service, crew: Crew, guard: Guard, cancelled: Callable[[], bool]
    ) -> None:
        process = bring_up(service, guard, cancelled)

        def launch() -> Process:
            service.prepare()
            return Process(service.command(), guard)

        crew.adopt(
            Member(
                name=service.name,
                launch=launch,
                answers=lambda _: service.answers(),
                complaint=lambda: "it does not answer.",
                process=process,
                ready=True,
                was_ready=True,
            )
        )

    def clean(self) -> None:
        if self._settling:
            self._settling.wait(SETTLING_PATIENCE)
            self._settling.bury()
        for service in self.own:
            service.clean()
