"""The parent's side of the sandbox: bytes of an unknown file in, clean pixels or a code out.

It owns the zygote's process, the errors that a person may see, and the bytes on the wire. It never
parses an image itself, never writes one to a file, and believes nothing that a child sends beyond
two bounded numbers and a run of pixels. How a child is walled in stands in zygote.py.
"""

import contextlib
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from portraits.refusals import FILE

ROOT = Path(__file__).resolve().parent.parent
MAX_BYTES = 32 * 2**20
MAX_SIDE = 1024
MIN_SIDE = 256
MAX_PIXELS = 40_000_000
WALL_SECONDS = 8.0
FORMATS = ("JPEG", "PNG", "WEBP", "HEIC")

# A reply is one of these bytes; PIXELS is followed by HEADER and the rows, REFUSED by an index.
PIXELS, REFUSED, UNWALLED = b"P", b"E", b"U"
# What the zygote adds when a child has ended: its processor time was used up, its time on the clock
# was while it had hardly run, or it broke.
LATE, BUSY, BROKEN = b"T", b"W", b"X"
HEADER = struct.Struct("!HHB")
LENGTH = struct.Struct("!I")
READY = b"ready:"

log = logging.getLogger(__name__)


class NotAPhoto(ValueError):
    """The root of everything that an uploaded file can be refused for."""

    code = "decode_failed"
    sentence = FILE[code]

    def __init_subclass__(cls) -> None:
        cls.sentence = FILE[cls.code]

    def __init__(self) -> None:
        super().__init__(self.sentence)


class EmptyFile(NotAPhoto):
    code = "empty_file"


class FileTooLarge(NotAPhoto):
    code = "file_too_large"


class NotAnImage(NotAPhoto):
    code = "not_an_image"


class UnsupportedFormat(NotAPhoto):
    code = "unsupported_format"


class TruncatedImage(NotAPhoto):
    code = "truncated_image"


class TooManyPixels(NotAPhoto):
    code = "too_many_pixels"


class AnimatedImage(NotAPhoto):
    code = "animated_image"


class TooSmall(NotAPhoto):
    code = "too_small"


class DecodeTimeout(NotAPhoto):
    code = "decode_timeout"


class DecodeFailed(NotAPhoto):
    code = "decode_failed"


# The order is the wire's: a child sends an index, never a text.
REFUSALS: tuple[type[NotAPhoto], ...] = (
    EmptyFile,
    FileTooLarge,
    NotAnImage,
    UnsupportedFormat,
    TruncatedImage,
    TooManyPixels,
    AnimatedImage,
    TooSmall,
    DecodeTimeout,
    DecodeFailed,
)


class DecoderBusy(RuntimeError):
    """The clock ran out before the processor time did: the machine's fault, not the photo's."""


class SandboxUnavailable(RuntimeError):
    """No wall keeps a decoder from the network here, or the zygote does not start."""

    code = "sandbox_unavailable"


class _ZygoteLost(Exception):
    """The zygote died during a call; the call is made once more with a new one."""


@dataclass(frozen=True)
class Decoded:
    """Pixels in sRGB, upright, at most 1024 on the longer side; the repr never shows them."""

    width: int
    height: int
    rgb: bytes = field(repr=False)
    source_format: str


class Decoder:
    """One zygote and its sandboxed children. Any number of threads may call `decode` at once.

    Start it before any key is read: the zygote then has nothing that a child could take along.
    """

    def __init__(self, *, strict: bool, module: str = "workers.zygote") -> None:
        self.strict = strict
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._layers: frozenset[str] = frozenset()

    @property
    def pid(self) -> int | None:
        """The zygote's process id, if there is one."""
        return self._process.pid if self._process else None

    def layers(self) -> frozenset[str]:
        """The walls that were up around a trial child when the zygote started."""
        return self._layers

    def start(self) -> None:
        """Starts the zygote; in strict mode it refuses where no network barrier holds."""
        with self._lock:
            if not self._alive():
                self._spawn()

    def decode(self, data: bytes) -> Decoded:
        """The one way in. Raises a `NotAPhoto`, `DecoderBusy` or `SandboxUnavailable`."""
        if not data:
            raise EmptyFile
        if len(data) > MAX_BYTES:
            raise FileTooLarge
        try:
            return self._call(data)
        except _ZygoteLost:
            log.warning("the image zygote died; it is replaced")
        try:
            return self._call(data)
        except _ZygoteLost:
            # A file that takes the zygote along twice is the file's fault.
            raise DecodeFailed from None

    def close(self) -> None:
        """Ends the zygote, and with it every child."""
        with self._lock:
            self._discard()

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _discard(self) -> None:
        control, process = self._control, self._process
        self._control = self._process = None
        if control:
            control.close()
        if process:
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _spawn(self) -> None:
        # A zygote that is killed while it starts gets one more chance.
        layers = self._launch() or self._launch()
        if layers is None:
            raise SandboxUnavailable("the image zygote did not start")
        self._layers = layers
        if not layers & {"network-namespace", "seccomp"}:
            if self.strict:
                self._discard()
                raise SandboxUnavailable("no wall keeps an image decoder from the network")
            log.warning("image decoders run without a network barrier; only limits hold")

    def _launch(self) -> frozenset[str] | None:
        """Starts a zygote and returns the walls that it names; None if it names nothing."""
        self._discard()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._control = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-m", self._module, str(theirs.fileno())],
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        line = _greeting(ours)
        if line.startswith(READY) and line.endswith(b"\n"):
            return frozenset(line[len(READY) : -1].decode("ascii", "replace").split(",")) - {""}
        self._discard()
        return None

    def _call(self, data: bytes) -> Decoded:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours:
            with theirs, self._lock:
                if not self._alive():
                    self._spawn()
                process = self._process
                self._hand_over(theirs)
            try:
                return _parse(_exchange(ours, data))
            except _ZygoteLost:
                with self._lock:
                    # It may be dying and not dead yet; the next call must not meet it again.
                    if self._process is process:
                        self._discard()
                raise

    def _hand_over(self, theirs: socket.socket) -> None:
        flag = b"S" if self.strict else b"L"
        try:
            if self._control is None:
                raise _ZygoteLost
            socket.send_fds(self._control, [flag], [theirs.fileno()])
        except OSError:
            self._discard()
            raise _ZygoteLost from None


def _environment() -> dict[str, str]:
    """What the zygote may know of ours: where programs and modules lie, and the language."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8"}


def _greeting(control: socket.socket) -> bytes:
    """The zygote's first line, or what there is of it."""
    line = b""
    control.settimeout(30)
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and len(line) < 1000:
            part = control.recv(200)
            if not part:
                break
            line += part
    return line


def _exchange(ours: socket.socket, data: bytes) -> bytes:
    """Sends the file and reads until the reply is whole or the other side is gone."""
    end = time.monotonic() + WALL_SECONDS + 2
    reply = bytearray()
    try:
        ours.settimeout(WALL_SECONDS + 2)
        # A child may die before it has read everything; the trailer says why.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            ours.sendall(LENGTH.pack(len(data)) + data)
        while len(reply) < _expected(reply):
            ours.settimeout(max(0.01, end - time.monotonic()))
            # Not a byte more than the reply: what follows it is the zygote's word on the child.
            part = ours.recv(min(1 << 20, _expected(reply) - len(reply)))
            if not part:
                break
            reply += part
    except TimeoutError:
        raise DecoderBusy from None
    except OSError:
        raise _ZygoteLost from None
    return bytes(reply)


def _expected(reply: bytearray) -> int:
    """How long a whole reply is, as far as its first bytes tell."""
    kind = reply[:1]
    if kind == REFUSED:
        return 2
    if kind != PIXELS:
        return 1
    start = 1 + HEADER.size
    if len(reply) < start:
        return start
    width, height, _ = HEADER.unpack(reply[1:start])
    return int(start + min(width, MAX_SIDE) * min(height, MAX_SIDE) * 3)


def _parse(reply: bytes) -> Decoded:
    if not reply:
        raise _ZygoteLost
    if reply == UNWALLED:
        raise SandboxUnavailable("a child found itself without a network barrier")
    if reply[:1] == REFUSED and len(reply) == 2 and reply[1] < len(REFUSALS):
        raise REFUSALS[reply[1]]
    if reply[:1] == PIXELS and len(reply) == _expected(bytearray(reply[: 1 + HEADER.size])):
        start = 1 + HEADER.size
        width, height, kind = HEADER.unpack(reply[1:start])
        if 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and kind < len(FORMATS):
            return Decoded(width, height, reply[start:], FORMATS[kind])
    if reply[-1:] == BUSY:
        raise DecoderBusy
    raise DecodeTimeout if reply[-1:] == LATE else DecodeFailed
