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

ROOT = Path(__file__).resolve().parent.parent
MAX_BYTES = 32 * 2**20
MAX_SIDE = 1024
MIN_SIDE = 256
MAX_PIXELS = 40_000_000
WALL_SECONDS = 8.0
FORMATS = ("JPEG", "PNG", "WEBP", "HEIC")

# A reply is one of these bytes; PIXELS is followed by HEADER and the rows, REFUSED by an index.
PIXELS, REFUSED, UNWALLED = b"P", b"E", b"U"
# What the zygote adds when a child has ended: in time, too late, or broken.
LATE, BROKEN = b"T", b"X"
HEADER = struct.Struct("!HHB")
LENGTH = struct.Struct("!I")
READY = b"ready:"

log = logging.getLogger(__name__)


class NotAPhoto(ValueError):
    """The root of everything that an uploaded file can be refused for."""

    code = "not_a_photo"
    sentence = "This file cannot be used as a photo. Choose another one."

    def __init__(self) -> None:
        super().__init__(self.sentence)


class EmptyFile(NotAPhoto):
    code = "empty_file"
    sentence = "The file is empty. Choose the photo again and wait until it has been uploaded."


class FileTooLarge(NotAPhoto):
    code = "file_too_large"
    sentence = "The file is too large. Choose a smaller export of the same photo."


class NotAnImage(NotAPhoto):
    code = "not_an_image"
    sentence = "This file is not a picture, whatever its name says. Choose a photo."


class UnsupportedFormat(NotAPhoto):
    code = "unsupported_format"
    sentence = "This picture format is not supported. Save the photo as JPEG, PNG, WebP or HEIC."


class TruncatedImage(NotAPhoto):
    code = "truncated_image"
    sentence = "The photo is damaged or incomplete. Upload it again or choose another one."


class TooManyPixels(NotAPhoto):
    code = "too_many_pixels"
    sentence = "The picture has more than 40 megapixels. Choose a smaller version of it."


class AnimatedImage(NotAPhoto):
    code = "animated_image"
    sentence = "This is an animation. Choose a still photo."


class TooSmall(NotAPhoto):
    code = "too_small"
    sentence = (
        "The picture is too small or too narrow. Its shorter side needs 256 pixels or more, "
        "and at least a quarter of its longer side."
    )


class DecodeTimeout(NotAPhoto):
    code = "decode_timeout"
    sentence = "Opening this photo took too long. Save it again as a plain JPEG and retry."


class DecodeFailed(NotAPhoto):
    code = "decode_failed"
    sentence = "This photo could not be opened. Save it again as a plain JPEG and retry."


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
        """The one way in. Raises a `NotAPhoto`, or `SandboxUnavailable`."""
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
        self._discard()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-B", "-m", self._module, str(theirs.fileno())],
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control = ours
        self._layers = self._greeting(ours)
        if not self._layers & {"network-namespace", "seccomp"}:
            if self.strict:
                self._discard()
                raise SandboxUnavailable("no wall keeps an image decoder from the network")
            log.warning("image decoders run without a network barrier; only limits hold")

    def _greeting(self, control: socket.socket) -> frozenset[str]:
        control.settimeout(30)
        line = b""
        try:
            while not line.endswith(b"\n") and len(line) < 1000:
                part = control.recv(200)
                if not part:
                    break
                line += part
        except OSError:
            line = b""
        if not (line.startswith(READY) and line.endswith(b"\n")):
            self._discard()
            raise SandboxUnavailable("the image zygote did not start")
        return frozenset(line[len(READY) : -1].decode("ascii", "replace").split(",")) - {""}

    def _call(self, data: bytes) -> Decoded:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours:
            with theirs, self._lock:
                if not self._alive():
                    self._spawn()
                self._hand_over(theirs)
            return _parse(_exchange(ours, data))

    def _hand_over(self, theirs: socket.socket) -> None:
        flag = b"S" if self.strict else b"L"
        try:
            if self._control is None:
                raise _ZygoteLost
            socket.send_fds(self._control, [flag], [theirs.fileno()])
        except OSError:
            raise _ZygoteLost from None


def _environment() -> dict[str, str]:
    """What the zygote may know of ours: where programs and modules lie, and the language."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8"}


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
            part = ours.recv(1 << 20)
            if not part:
                break
            reply += part
    except TimeoutError:
        raise DecodeTimeout from None
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
    raise DecodeTimeout if reply[-1:] == LATE else DecodeFailed
