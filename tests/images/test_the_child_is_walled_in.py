"""What a decoder that was taken over may do: answer with pixels, and nothing else."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from workers import zygote
from workers.sandbox import (
    DecodeFailed,
    Decoder,
    DecoderBusy,
    DecodeTimeout,
    NotAPhoto,
    SandboxUnavailable,
)

ROOT = Path(__file__).resolve().parents[2]


def tell(decoder: Decoder, command: bytes) -> object:
    return json.loads(decoder.decode(command).rgb)


def test_the_test_itself_can_be_answered(hostile: Decoder) -> None:
    assert tell(hostile, b"fine") == "fine"


@pytest.mark.parametrize("command", [b"tcp", b"udp", b"unix"])
def test_a_child_cannot_open_a_socket(hostile: Decoder, command: bytes) -> None:
    if "seccomp" not in hostile.layers() and command == b"unix":
        pytest.skip("this kernel has no seccomp; the empty network is what holds")
    assert tell(hostile, command) in {"PermissionError", "OSError"}


@pytest.mark.parametrize("command", [b"read", b"list", b"write", b"parent"])
def test_a_child_cannot_touch_the_file_system(hostile: Decoder, command: bytes) -> None:
    if not hostile.layers() & {"seccomp", "landlock"}:
        pytest.skip("this kernel has neither seccomp nor Landlock")
    assert tell(hostile, command) == "PermissionError"


@pytest.mark.parametrize("command", [b"fork", b"exec", b"trace"])
def test_a_child_cannot_start_or_touch_a_process(hostile: Decoder, command: bytes) -> None:
    if "seccomp" not in hostile.layers():
        pytest.skip("this kernel has no seccomp")
    assert tell(hostile, command) == "PermissionError"


def test_a_child_sees_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITTER_SECRET_KEY", "canary")
    decoder = Decoder(strict=True, module="tests.images.hostile")
    seen = tell(decoder, b"environment")
    decoder.close()
    assert isinstance(seen, list)
    assert set(seen) <= {"PATH", "PYTHONPATH", "LANG", "LC_CTYPE"}


@pytest.mark.parametrize("command", [b"memory", b"crash", b"abort", b"end", b"lie", b"chatter"])
def test_a_child_that_breaks_costs_one_photo(hostile: Decoder, command: bytes) -> None:
    with pytest.raises(DecodeFailed):
        hostile.decode(command)
    assert tell(hostile, b"fine") == "fine"


def spin(decoder: Decoder) -> None:
    """Again where the machine gives it so little of the processor that the clock runs out first."""
    for _ in range(5):
        with suppress(DecoderBusy):
            decoder.decode(b"spin")


def test_a_child_that_eats_the_processor_is_killed(hostile: Decoder) -> None:
    with pytest.raises(DecodeTimeout):
        spin(hostile)
    assert tell(hostile, b"fine") == "fine"


def test_a_child_that_did_not_get_to_run_is_killed_by_the_clock_and_no_photos_fault(
    hostile: Decoder,
) -> None:
    began = time.monotonic()
    with pytest.raises(DecoderBusy):
        hostile.decode(b"sleep")
    assert 7 < time.monotonic() - began < 10
    assert tell(hostile, b"fine") == "fine"


def test_no_child_dumps_its_memory(hostile: Decoder, tmp_path: Path) -> None:
    with pytest.raises(NotAPhoto):
        hostile.decode(b"crash")
    assert not list(ROOT.glob("core*"))


def test_a_network_barrier_holds_here(decoder: Decoder) -> None:
    assert decoder.layers() & {"network-namespace", "seccomp"}
    assert "limits" in decoder.layers()


def test_the_zygote_loads_no_framework_and_no_network(hostile: Decoder) -> None:
    loaded = tell(hostile, b"modules")
    assert isinstance(loaded, list)
    forbidden = {"django", "torch", "onnxruntime", "numpy", "ssl", "celery", "boto3"}
    assert not forbidden & set(loaded)


UNWALLED = """
import sys
from workers import zygote
zygote._namespaces = lambda: []
zygote._seccomp = lambda: False
zygote.main()
"""


def _without_walls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "no_walls_here.py").write_text(UNWALLED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "no_walls_here"


def test_strict_refuses_where_no_network_barrier_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = Decoder(strict=True, module=_without_walls(tmp_path, monkeypatch))
    with pytest.raises(SandboxUnavailable):
        decoder.start()
    assert decoder.pid is None


def test_the_embedded_stack_warns_and_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    views: dict[str, bytes],
) -> None:
    decoder = Decoder(strict=False, module=_without_walls(tmp_path, monkeypatch))
    assert decoder.decode(views["front"]).source_format == "JPEG"
    decoder.close()
    assert "network barrier" in caplog.text


def test_each_network_barrier_holds_alone(tmp_path: Path) -> None:
    """The filter where namespaces are forbidden, and the empty network where filters are."""
    script = tmp_path / "alone.py"
    script.write_text(
        "import sys, socket\n"
        "from workers import zygote\n"
        "other = {'_seccomp': '_namespaces', '_namespaces': '_seccomp'}[sys.argv[1]]\n"
        "setattr(zygote, other, lambda: [])\n"
        "held = zygote.raise_walls()\n"
        "try:\n"
        "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('192.0.2.1', 9))\n"
        "    s.send(b'x')\n"
        "except OSError: print('shut', *held)\n"
    )
    for wall, name in (("_seccomp", "seccomp"), ("_namespaces", "network-namespace")):
        done = subprocess.run(
            [sys.executable, script, wall],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        words = done.stdout.split()
        if name in words or not words:
            assert words[:1] == ["shut"], done.stderr[-500:]


def test_the_filter_is_a_list_of_what_may_pass() -> None:
    for column in (0, 1):
        numbers = [pair[column] for pair in zygote.CALLS.values()]
        assert len(set(numbers)) == len(numbers)
    forbidden = {"socket", "connect", "open", "openat", "ptrace", "execve", "fork", "kill", "bpf"}
    assert not forbidden & set(zygote.CALLS)
