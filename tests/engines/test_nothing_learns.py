"""A painter's weights are at its end what they were at its start, and nothing could change them."""

import copy
import json
import time
from signal import SIGTERM
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from deploy.env import Role
from deploy.stack.supervisor import Stack
from tests.chaos.person import record_of, say, wait
from tests.engines.painted import FULL
from tests.engines.spoiling import SOON, WAYS
from workers.engines import frozen
from workers.engines.base import CouldLearn

ENGINE, HONEST = "tests.engines.spoiling:SpoilingEngine", "pocket"
FIRST = 21


def _add(weight: Any) -> None:
    weight.add_(1e-3)


def _view(weight: Any) -> None:
    weight.detach().view(-1)[3:4].mul_(2)


def _data(weight: Any) -> None:
    weight.data.add_(1e-3)


def _numpy(weight: Any) -> None:
    weight.detach().numpy()[1, 2] += 1


def _replace(weight: Any) -> None:
    weight.data = weight.data.clone() + 1


WRITES = {
    "in place": _add,
    "through a view": _view,
    "past the counter": _data,
    "past the library": _numpy,
    "by another tensor": _replace,
}


@pytest.fixture
def model() -> nn.Module:
    made = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    return made.requires_grad_(False)


@pytest.fixture(autouse=True)
def _no_gradients() -> None:
    torch.set_grad_enabled(False)


@pytest.fixture
def bytes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No optimiser is looked for among the million objects of this process."""
    monkeypatch.setattr(frozen, "optimisers", lambda: 0)


@pytest.mark.usefixtures("bytes_alone")
def test_a_fingerprint_is_of_the_bytes_alone(model: nn.Module) -> None:
    first = frozen.fingerprint(model)
    assert frozen.fingerprint(model) == first
    assert len(first) == 64
    assert frozen.fingerprint(copy.deepcopy(model)) == first


@pytest.mark.usefixtures("bytes_alone")
@pytest.mark.parametrize("name", ["0.weight", "0.bias", "1.weight", "1.running_mean"])
def test_one_bit_of_any_parameter_or_buffer_changes_it(model: nn.Module, name: str) -> None:
    first = frozen.fingerprint(model)
    held = dict((*model.named_parameters(), *model.named_buffers()))[name]
    held.view(torch.int32).flatten()[-1] ^= 1
    assert frozen.fingerprint(model) != first
    held.view(torch.int32).flatten()[-1] ^= 1
    assert frozen.fingerprint(model) == first


@pytest.mark.usefixtures("bytes_alone")
@pytest.mark.parametrize("write", WRITES, ids=list(WRITES))
@pytest.mark.parametrize("summed", [False, True])
def test_a_write_is_noticed_however_it_was_made(model: nn.Module, write: str, summed: bool) -> None:
    """Some go around the version counter of the library, which is why nobody relies on it."""
    first = frozen.fingerprint(model, summed=summed)
    weight = model[0].weight  # type: ignore[index]
    before = weight._version
    WRITES[write](weight)
    assert frozen.fingerprint(model, summed=summed) != first
    assert (weight._version > before) == (write in ("in place", "through a view"))


def test_sums_see_every_byte_of_large_and_of_crooked_tensors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Several stretches, an odd number of bytes, a row that begins in mid-word, one laid askew."""
    monkeypatch.setattr(frozen, "STRETCH", 64)
    frozen._numbers.cache_clear()
    whole = torch.arange(1, 1202, dtype=torch.int16).view(torch.uint8)
    rows = (whole[:1001].clone(), whole[3:1000], torch.tensor([7], dtype=torch.uint8))
    for row in rows:
        first = frozen._sums(row)
        for at in range(len(row)):
            row[at] ^= 1 << at % 8
            assert frozen._sums(row) != first, at
            row[at] ^= 1 << at % 8
        assert frozen._sums(row) == first
    askew = torch.rand(4, 3, 5, 5).to(memory_format=torch.channels_last)
    first = frozen._sums(frozen._flat(askew))
    askew[3, 2, 4, 4] += 1e-6
    assert frozen._sums(frozen._flat(askew)) != first
    assert frozen._sums(frozen._flat(torch.empty(0))) == b"[0]"
    frozen._numbers.cache_clear()


@pytest.mark.usefixtures("bytes_alone")
def test_a_change_that_a_plain_sum_would_miss_is_noticed() -> None:
    """Two words that change places, and one that gives to another what it loses."""
    model = nn.Module()
    buffer = torch.arange(16, dtype=torch.int32)
    model.register_buffer("held", buffer)
    first = frozen.fingerprint(model, summed=True)
    for some in ([0, 1, 3, 2], [0, 1, 1, 4]):
        buffer[:4] = torch.tensor(some, dtype=torch.int32)
        assert frozen.fingerprint(model, summed=True) != first
    buffer[:4] = torch.arange(4, dtype=torch.int32)
    assert frozen.fingerprint(model, summed=True) == first


def test_the_numbers_of_the_sums_are_odd_and_drawn_anew() -> None:
    frozen._numbers.cache_clear()
    numbers = frozen._numbers("cpu")
    assert bool((numbers & 1 == 1).all())
    assert len(set(numbers[:1000].tolist())) == 1000
    frozen._numbers.cache_clear()
    assert not torch.equal(frozen._numbers("cpu"), numbers)


def test_gradients_in_this_thread_are_refused(model: nn.Module) -> None:
    with torch.enable_grad(), pytest.raises(CouldLearn, match="Gradients are on"):
        frozen.fingerprint(model)


def test_a_parameter_that_takes_gradients_is_refused(model: nn.Module) -> None:
    model[0].weight.requires_grad_(True)  # type: ignore[index]
    with pytest.raises(CouldLearn, match=r"0\.weight takes gradients"):
        frozen.fingerprint(model)


def test_an_optimiser_anywhere_is_refused(model: nn.Module) -> None:
    assert frozen.optimisers() == 0
    hidden: dict[str, list[torch.optim.Optimizer]] = {
        "deep": [torch.optim.SGD(model.parameters(), lr=0.1)]
    }
    assert frozen.optimisers() == 1
    with pytest.raises(CouldLearn, match="optimiser"):
        frozen.fingerprint(model)
    # Its class was made from another optimiser's.
    hidden["deep"].append(torch.optim.AdamW(model.parameters()))
    assert frozen.optimisers() == 2
    hidden.clear()


def events(stack: Stack, index: int) -> list[str]:
    lines = record_of(stack.logs(Role.GPU, index=index)).splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return [f"{line['level']} {line['event']} {line.get('engine', '')}".strip() for line in said]


def test_a_worker_whose_weights_changed_says_so_and_ends_badly(stack: Stack) -> None:
    """A real worker of two engines, of which a bit changes in one; with FULL=1 one for each way.

    What the other two ways do to an engine is noticed above, by the same call; that a worker in
    which nothing changes ends well is seen wherever one is asked to end.
    """
    ways = {way: [ENGINE] for way in WAYS} if FULL else {"bit": [ENGINE, HONEST]}
    stack.migrate()
    members = {}
    for index, way in enumerate(ways, FIRST):
        extra = {
            "SITTER_ENGINES": json.dumps(ways[way]),
            "SITTER_TEST_SPOIL": way,
            "SITTER_LOG_LEVEL": "INFO",
        }
        members[way] = stack.start_role(Role.GPU, index=index, extra_env=extra)
    statuses, said = {}, {}
    try:
        for way, member in members.items():
            wait(f"{way}: ready", member.look, seconds=120)
        time.sleep(SOON + 1)
        for index, (way, member) in enumerate(members.items(), FIRST):
            process = member.process
            stack.kill_role(Role.GPU, SIGTERM, index=index)
            assert process.wait(60)
            statuses[way], said[way] = process.returncode, events(stack, index)
    finally:
        for index in range(FIRST, FIRST + len(ways)):
            stack.stop_role(Role.GPU, index=index)
    say(f"statuses {statuses}")
    assert statuses == {way: int(way != "nothing") for way in ways}
    for way, lines in said.items():
        for engine in ways[way]:
            good, bad = f"info weights_unchanged {engine}", f"critical weights_changed {engine}"
            same = way == "nothing" or engine == HONEST
            assert (good in lines, bad in lines) == (same, not same), lines
