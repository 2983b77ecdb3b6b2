"""The guard: a tiny process that ends the stack when its supervisor can no longer do it.

It holds one end of a pipe. While the supervisor lives it only writes down who runs; when the pipe
closes without a word of goodbye (SIGKILL, out of memory) it stops every process group that it
knows, and every process that carries the stack's mark, then lets go of the data folder's lock.
The kernel's parent-death signal is not enough: it is tied to a thread and reaches no grandchild.
It is run as a script with the standard library alone, so that it costs 10 ms and 10 MB.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

MARK = "SITTER_STACK_MARK"
GRACE = 5.0


def running(pid: int) -> bool:
    """Whether a process lives; a zombie that nobody has collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        with suppress(ProcessLookupError):  # no /proc here: ask by the null signal
            os.kill(pid, 0)
            return True
        return False
    except (OSError, IndexError):
        return False


def marked(mark: str) -> list[int]:
    """Processes that inherited the mark, however far from the supervisor they have moved."""
    line = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if line in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid() and running(pid)]


def sweep(mark: str) -> None:
    """Kill whoever still carries the mark; a second round meets those that were just forked."""
    for _ in range(20):
        left = marked(mark)
        if not left:
            return
        for pid in left:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def end(groups: dict[int, int], mark: str) -> None:
    for leader, number in groups.items():
        with suppress(OSError):
            os.kill(leader, number)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(map(running, groups)):
        time.sleep(0.02)
    for leader in groups:
        with suppress(OSError):
            os.killpg(leader, signal.SIGKILL)
    sweep(mark)


def main(mark: str) -> None:
    groups: dict[int, int] = {}
    for line in sys.stdin:
        match line.split():
            case ["watch", leader, number]:
                groups[int(leader)] = int(number)
            case ["forget", leader]:
                groups.pop(int(leader), None)
            case ["goodbye"]:
                return
    end(groups, mark)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    main(sys.argv[1])
