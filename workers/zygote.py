"""The keyless process that forks a walled-in child for each image.

It is exec'ed before any key is read, loads the decoders and nothing else, and never sees an image:
each call brings a socket that only the child reads. It owns the walls around the child and the
wall clock; it refuses to go on once its parent is gone. Nothing here prints or logs, since a
traceback could carry what a photo holds.
"""

import contextlib
import ctypes
import os
import platform
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from workers import images
from workers.sandbox import (
    BROKEN,
    BUSY,
    FORMATS,
    HEADER,
    LATE,
    LENGTH,
    MAX_BYTES,
    PIXELS,
    READY,
    REFUSALS,
    REFUSED,
    UNWALLED,
    WALL_SECONDS,
    DecodeFailed,
    NotAPhoto,
)

MEMORY = 512 * 2**20
CPU_SECONDS = 5
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
LANDLOCK_CREATE, LANDLOCK_RESTRICT = 444, 446
# How many file system rights each Landlock version can take away; later ones keep the last.
LANDLOCK_RIGHTS = (13, 14, 15, 15, 16)

# What a decoder needs between reading a socket and writing to it, by the kernel's numbers for
# (x86_64, aarch64). Whatever is not here, sockets, files, processes, tracing, answers EPERM.
CALLS: dict[str, tuple[int, int]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "getpid": (39, 172),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "exit": (60, 93),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "set_robust_list": (273, 99),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "tgkill": (234, 131),
    "getrandom": (318, 278),
    "rseq": (334, 293),
}
# The audit architecture of the filter and the column of CALLS.
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
ALLOW, DENY, MISSING, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
# libde265 decodes on a thread of its own. A filter can read clone's flags and allow threads alone;
# it cannot read clone3's, which is therefore said to be missing, and the C library asks clone.
CLONE, CLONE3, CLONE_THREAD = (56, 220), 435, 0x00010000

Work = Callable[[bytes], bytes]
_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def _filter() -> bytes | None:
    """The seccomp program as bytes: right architecture, then a list of what may pass."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        return None
    audit, column = machine
    numbers = [pair[column] for pair in CALLS.values()]

    def step(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    load, equal, flagged, give = 0x20, 0x15, 0x45, 0x06
    steps = [step(load, 0, 0, 4), step(equal, 1, 0, audit), step(give, 0, 0, KILL)]
    steps += [step(load, 0, 0, 0), step(equal, 0, 1, CLONE3), step(give, 0, 0, MISSING)]
    steps += [step(equal, 0, 4, CLONE[column]), step(load, 0, 0, 16)]
    steps += [step(flagged, 0, 1, CLONE_THREAD), step(give, 0, 0, ALLOW), step(give, 0, 0, DENY)]
    for place, number in enumerate(numbers):
        steps.append(step(equal, len(numbers) - place, 0, number))
    return b"".join([*steps, step(give, 0, 0, DENY), step(give, 0, 0, ALLOW)])


def _seccomp() -> bool:
    code = _filter()
    if code is None:
        return False
    program = _Program(len(code) // 8, code)
    return bool(_libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) == 0)


def _namespaces() -> list[str]:
    """An empty network; root may have one even where user namespaces are forbidden."""
    if _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        return ["user-namespace", "network-namespace"]
    return ["network-namespace"] if _libc.unshare(CLONE_NEWNET) == 0 else []


def _landlock() -> bool:
    """Takes away every right on the file system that this kernel knows; no rule gives one back."""
    long, size_t = ctypes.c_long, ctypes.c_size_t
    version = _libc.syscall(long(LANDLOCK_CREATE), None, size_t(0), long(1))
    if version < 1:
        return False
    rights = LANDLOCK_RIGHTS[min(version, len(LANDLOCK_RIGHTS)) - 1]
    attributes = struct.pack("=Q", (1 << rights) - 1)
    ruleset = _libc.syscall(long(LANDLOCK_CREATE), attributes, size_t(len(attributes)), long(0))
    if ruleset < 0:
        return False
    held = _libc.syscall(long(LANDLOCK_RESTRICT), long(ruleset), long(0)) == 0
    os.close(ruleset)
    return bool(held)


def _address_space() -> int:
    """What the forked interpreter occupies already; a child may have MEMORY more than that."""
    try:
        with open("/proc/self/statm") as sizes:
            return int(sizes.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 256 * 2**20


def _limit(occupied: int) -> None:
    bounds = {
        resource.RLIMIT_AS: (occupied + MEMORY,) * 2,
        resource.RLIMIT_CPU: (CPU_SECONDS, CPU_SECONDS + 1),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (8, 8),
    }
    for which, wanted in bounds.items():
        ceiling = resource.getrlimit(which)[1]
        if ceiling == resource.RLIM_INFINITY:
            ceiling = max(wanted)
        resource.setrlimit(which, (min(wanted[0], ceiling), min(wanted[1], ceiling)))


def raise_walls() -> frozenset[str]:
    """Puts up every wall that this kernel has around the calling process; says which hold."""
    occupied = _address_space()
    held = _namespaces()
    _limit(occupied)
    held.append("limits")
    if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        held.append("no-new-privileges")
    if _landlock():
        held.append("landlock")
    if _seccomp():
        held.append("seccomp")
    return frozenset(held)


@dataclass
class _Child:
    pid: int
    call: socket.socket
    deadline: float
    late: bool = False


def _become_child(call: socket.socket, parent: int) -> socket.socket:
    """Keeps standard input to error, which are /dev/null, and the call's socket; nothing else."""
    signal.set_wakeup_fd(-1)
    for name in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    os.dup2(call.fileno(), 3, inheritable=False)
    os.closerange(4, max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1024))
    mine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3)
    # kombu gives every new socket of the parent a timeout while it drops a broken connection. One
    # that was made meanwhile would not wait here for its reader, and half a picture would arrive.
    mine.setblocking(True)
    return mine


def _read(call: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = call.recv(min(count - len(data), 1 << 20))
        if not part:
            os._exit(1)
        data += part
    return bytes(data)


def _child(call: socket.socket, strict: bool, parent: int, work: Work) -> None:
    """Never returns, and never lets an exception out: it could be printed."""
    try:
        call = _become_child(call, parent)
        held = raise_walls()
        if strict and not held & {"network-namespace", "seccomp"}:
            call.sendall(UNWALLED)
            os._exit(0)
        (length,) = LENGTH.unpack(_read(call, LENGTH.size))
        if length > MAX_BYTES:
            os._exit(1)
        call.sendall(work(_read(call, length)))
        os._exit(0)
    except BaseException:  # noqa: BLE001 - whatever it was, the parent reads it as broken
        os._exit(1)


def paint(data: bytes) -> bytes:
    """The work of every real child: a reply on the wire for the bytes of a file."""
    try:
        picture, kind = images.decode(data)
        header = HEADER.pack(picture.width, picture.height, FORMATS.index(kind))
        return PIXELS + header + picture.tobytes()
    except NotAPhoto as refusal:
        return REFUSED + bytes([REFUSALS.index(type(refusal))])
    except MemoryError:
        return REFUSED + bytes([REFUSALS.index(DecodeFailed)])


def _probe() -> frozenset[str]:
    """The walls that a trial child could put up; asked before the first real one is needed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, ",".join(sorted(raise_walls())).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as answer:
        names = answer.read(1000).decode()
    os.waitpid(pid, 0)
    return frozenset(names.split(",")) - {""}


def _reap(children: list[_Child]) -> None:
    """Kills who is late, collects who has ended, and tells the caller how it went."""
    now = time.monotonic()
    for child in list(children):
        if now >= child.deadline and not child.late:
            child.late = True
            os.kill(child.pid, signal.SIGKILL)
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid == 0:
            continue
        children.remove(child)
        spent = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        # A caller that has its whole reply has hung up.
        with contextlib.suppress(OSError):
            word = LATE if spent else BUSY if child.late else BROKEN
            child.call.send(word, socket.MSG_DONTWAIT)
        child.call.close()


def serve(control: socket.socket, work: Work = paint) -> None:
    """Takes one socket a call from the parent and forks a child for it, until the parent ends."""
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    control.sendall(READY + ",".join(sorted(_probe())).encode() + b"\n")
    woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    children: list[_Child] = []
    me = os.getpid()
    while True:
        nearest = min((c.deadline for c in children if not c.late), default=None)
        wait = None if nearest is None else max(0.0, nearest - time.monotonic())
        ready, _, _ = select.select([control.fileno(), woken], [], [], wait)
        if woken in ready:
            os.read(woken, 1000)
        _reap(children)
        if control.fileno() not in ready:
            continue
        flag, sockets, _, _ = socket.recv_fds(control, 1, 1)
        if not flag:
            break
        call = socket.socket(fileno=sockets[0])
        pid = os.fork()
        if pid == 0:
            _child(call, flag == b"S", me, work)
        children.append(_Child(pid, call, time.monotonic() + WALL_SECONDS))
    for child in children:
        os.kill(child.pid, signal.SIGKILL)


def main(work: Work = paint) -> None:
    images.warm()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        serve(control, work)


if __name__ == "__main__":
    main()
