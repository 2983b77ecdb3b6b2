"""A zygote whose children do what a taken-over decoder would try; the tests start it.

A photo is a command here, and what came of it returns as the pixels of a picture one line high.
"""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workers import zygote
from workers.sandbox import FORMATS, HEADER, PIXELS


def _answer(value: object) -> bytes:
    text = json.dumps(value).encode()
    text += b" " * (-len(text) % 3)
    return PIXELS + HEADER.pack(len(text) // 3, 1, FORMATS.index("PNG")) + text


def _tried(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "it worked"


def _reach(kind: socket.SocketKind, target: tuple[str, int]) -> None:
    with socket.socket(socket.AF_INET, kind) as line:
        line.settimeout(1)
        line.connect(target)
        line.send(b"hello")


def _spin() -> None:
    while True:
        pass


def _eat() -> list[bytearray]:
    kept = []
    while True:
        kept.append(bytearray(b"x" * (16 * 2**20)))


def _modules() -> list[str]:
    return sorted({name.split(".")[0] for name in sys.modules})


ATTEMPTS: dict[bytes, Callable[[], object]] = {
    b"tcp": lambda: _tried(lambda: _reach(socket.SOCK_STREAM, ("127.0.0.1", 9))),
    b"udp": lambda: _tried(lambda: _reach(socket.SOCK_DGRAM, ("192.0.2.1", 9))),
    b"unix": lambda: _tried(socket.socketpair),
    b"read": lambda: _tried(lambda: Path("/etc/passwd").read_bytes()),
    b"list": lambda: _tried(lambda: os.listdir("/")),
    b"write": lambda: _tried(lambda: Path("sitter-escape").write_bytes(b"")),
    b"fork": lambda: _tried(os.fork),
    b"exec": lambda: _tried(lambda: os.execv("/bin/true", ["true"])),  # noqa: S606
    b"trace": lambda: _tried(lambda: os.kill(os.getppid(), signal.SIGTERM)),
    b"environment": lambda: sorted(os.environ),
    b"parent": lambda: _tried(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()),
    b"modules": _modules,
    b"memory": _eat,
    b"spin": _spin,
    b"sleep": lambda: time.sleep(60),
    b"crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    b"abort": os.abort,
    b"end": lambda: os._exit(0),
    b"fine": lambda: "fine",
}


def attempt(data: bytes) -> bytes:
    if data == b"lie":
        return PIXELS + HEADER.pack(65535, 65535, 200) + b"x" * 100
    if data == b"chatter":
        return b"Z" * (8 * 2**20)
    return _answer(ATTEMPTS[data]())


if __name__ == "__main__":
    zygote.main(attempt)
