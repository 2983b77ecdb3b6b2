"""The intake outlives its zygote, and serves many threads with one."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workers.sandbox import DecodeFailed, Decoder, NotAPhoto, SandboxUnavailable


def test_a_killed_zygote_is_replaced_at_the_next_photo(views: dict[str, bytes]) -> None:
    decoder = Decoder(strict=True)
    decoder.start()
    for _ in range(3):
        first = decoder.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert decoder.decode(views["front"]).width > 0
        assert decoder.pid != first
    decoder.close()


def test_a_zygote_killed_during_a_photo_costs_only_time(views: dict[str, bytes]) -> None:
    decoder = Decoder(strict=True)
    decoder.start()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(decoder.decode, views["front"]) for _ in range(80)]
        for served in (5, 25, 45):
            while sum(w.done() for w in waiting) < served:
                time.sleep(0.005)
            if decoder.pid:
                os.kill(decoder.pid, signal.SIGKILL)
        ended = [w.exception() for w in waiting]
    decoder.close()
    # Two deaths in a row under one photo refuse that photo; nothing else may come out.
    assert {type(e) for e in ended if e} <= {DecodeFailed}
    assert sum(e is None for e in ended) >= 70


def test_threads_share_one_zygote(decoder: Decoder, views: dict[str, bytes]) -> None:
    before = decoder.pid
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(decoder.decode, [*views.values()] * 4))
    assert [(f.width, f.height) for f in found[:5]] == [(f.width, f.height) for f in found[5:10]]
    assert decoder.pid == before


def test_it_starts_by_itself_and_ends_when_told(views: dict[str, bytes]) -> None:
    decoder = Decoder(strict=True)
    decoder.decode(views["front"])
    pid = decoder.pid
    assert pid is not None
    decoder.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_zygote_that_cannot_start_is_said_plainly() -> None:
    with pytest.raises(SandboxUnavailable):
        Decoder(strict=False, module="workers.no_such_zygote").start()


def test_no_file_descriptor_is_left_behind(views: dict[str, bytes]) -> None:
    decoder = Decoder(strict=True)
    decoder.decode(views["front"])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        decoder.decode(views["front"])
        with pytest.raises(NotAPhoto):
            decoder.decode(b"no photo at all")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    decoder.close()
