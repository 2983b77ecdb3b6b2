"""What an orchestrator asks inside a container: `python -m deploy.alive web` or `worker`.

The web answers /livez. A worker is ready once it has said so (deploy/stack/announce.py), and lives
as long as its process does: what hangs ends itself (workers/watch.py), and a probe that asked the
broker would end every worker whenever the broker is away. Loads nothing, because it runs often.
"""

import http.client
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

PORT = 8000
PATIENCE = 3
READY_FILE = "SITTER_READY_FILE"
# The kernel's letters for a process that is stopped, traced, dead or a zombie.
NOT_RUNNING = "TtXZ"


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 alive."""
    match [*arguments]:
        case ["web"]:
            return 0 if answers("/livez") else 1
        case ["worker"]:
            ready = Path(os.environ.get(READY_FILE, "/tmp/ready"))  # noqa: S108 - a tmpfs of its own
            return 0 if ready.exists() and runs(1) else 1
        case _:
            sys.stderr.write("Say web or worker.\n")
            return 2


def answers(path: str) -> bool:
    """Whether the web on this machine answers 200; it refuses hosts that it does not know."""
    host = json.loads(os.environ.get("SITTER_ALLOWED_HOSTS", '["localhost"]'))[0].lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def runs(pid: int) -> bool:
    """Whether the process is there and not stopped."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return said.rpartition(")")[2].split()[0] not in NOT_RUNNING


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
