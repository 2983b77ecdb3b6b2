"""The intake works under its seccomp profile, its child gets its walls, and nobody gets more."""

import ctypes
import ctypes.util
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from tests.deploy.seccomp_run import LIBRARY

PROFILE = ROOT / "deploy" / "docker" / "seccomp" / "intake.json"
UNDER = [sys.executable, str(ROOT / "tests" / "deploy" / "seccomp_run.py"), str(PROFILE)]
DECODES = """
import sys
from pathlib import Path
from workers.sandbox import Decoder
decoder = Decoder(strict=True)
decoder.start()
seen = decoder.decode(Path(sys.argv[1]).read_bytes())
print(",".join(sorted(decoder.layers())), seen.width)
decoder.close()
"""
# name → (x86_64 number, arguments): each would be a way out, or into somebody else.
FORBIDDEN = {
    "mount": (165, (0, 0, 0, 0, 0)),
    "unshare a mount namespace": (272, (0x00020000,)),
    "unshare user and pid namespaces": (272, (0x30000000,)),
    "clone into a user namespace": (56, (0x10000011, 0, 0, 0, 0)),
    "ptrace": (101, (0, 0, 0, 0)),
    "process_vm_readv": (310, (1, 0, 0, 0, 0, 0)),
    "bpf": (321, (0, 0, 0)),
    "keyctl": (250, (0, 0, 0, 0, 0)),
    "io_uring_setup": (425, (1, 0)),
    "perf_event_open": (298, (0, 0, -1, -1, 0)),
    "a packet socket": (41, (17, 3, 0)),
    "setns": (308, (0, 0)),
}
TRIES = """
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
for name, (number, given) in json.loads(sys.argv[1]).items():
    answer = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(one) for one in given))
    print(json.dumps([name, answer, ctypes.get_errno()]))
"""
pytestmark = pytest.mark.skipif(
    ctypes.util.find_library("seccomp") is None, reason=f"{LIBRARY} is not on this machine"
)


def run(*command: str) -> str:
    done = subprocess.run(
        [*UNDER, sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout


def test_the_sandboxed_child_gets_an_empty_network_and_all_other_walls() -> None:
    layers, width = run("-c", DECODES, str(ROOT / "tests" / "photos" / "astronaut.jpg")).split()
    walls = {"network-namespace", "no-new-privileges", "limits", "seccomp"}
    assert walls <= set(layers.split(","))
    assert int(width) > 0


def test_what_a_container_must_not_do_is_refused() -> None:
    said = [json.loads(line) for line in run("-c", TRIES, json.dumps(FORBIDDEN)).splitlines()]
    assert {name: (answer, errno) for name, answer, errno in said} == dict.fromkeys(
        FORBIDDEN, (-1, 1)
    )


def test_the_seccomp_profile_is_read_by_the_library_that_runtimes_use() -> None:
    profile = json.loads(PROFILE.read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    names = {name for rule in profile["syscalls"] for name in rule["names"]}
    library = ctypes.CDLL(LIBRARY)
    unknown = {name for name in names if library.seccomp_syscall_resolve_name(name.encode()) == -1}
    assert unknown == set()


@pytest.mark.slow
def test_the_intake_itself_starts_under_it(stack: Stack, tmp_path: Path) -> None:
    stack.migrate()
    ready = tmp_path / "ready"
    env = stack.env(Role.INTAKE) | {
        "SITTER_READY_FILE": str(ready),
        "SITTER_SANDBOX_STRICT": "true",
    }
    worker = ["-m", "celery", "-A", "workers.app", "worker", "-Q", "intake", "-P", "threads"]
    more = ["-c", "2", "-n", "under-seccomp@%h", "--include", "deploy.stack.announce"]
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*UNDER, sys.executable, *worker, *more],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=output,
        )
        deadline = time.monotonic() + 60
        while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        was_ready = ready.exists()
        process.terminate()
        status = process.wait(30)
    assert was_ready, log.read_text()[-1500:]
    assert status == 0
