"""Room is looked for before anything is loaded, and before anything is painted."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.portraits.making import style
from tests.workers.painting import Model, Shop, ordered, photographed, state, words_only
from workers import admission
from workers.admission import GB, Admission, Room
from workers.engines import base
from workers.studio import Studio

LARGE = ["flux2-klein", "z-image", "qwen-edit"]


def card(gigabytes: float) -> Room:
    return Room("cuda", gigabytes * GB)


def test_an_engine_that_cannot_paint_its_smallest_picture_is_refused_with_the_figures() -> None:
    with pytest.raises(base.DoesNotFit) as caught:
        Admission(["flux2-klein"], card(12), most=0)
    said = str(caught.value)
    weights = admission._table()["flux2-klein"]["weights"] / GB
    for part in ("flux2-klein", "512 by 512", f"{weights:.1f} GB of weights", "are 12.0 GB"):
        assert part in said


@pytest.mark.parametrize(
    ("name", "gigabytes"), [("flux2-klein", 24), ("z-image", 24), ("qwen-edit", 80)]
)
def test_the_cards_that_the_docs_name_have_room_for_every_size(name: str, gigabytes: int) -> None:
    assert Admission([name], card(gigabytes), most=1).tight(name) == []


def test_a_size_too_large_is_told_apart_from_those_that_fit() -> None:
    needs = admission.counted("flux2-klein", "cuda")
    assert needs
    beside = needs.weights + admission.BESIDE["cuda"]
    small, large = (512, 512), (1024, 1024)
    room = Room("cuda", beside + needs.painting(large, 0) - 1)
    found = Admission(["flux2-klein"], room, most=1)
    assert found.fits("flux2-klein", small, 4)
    assert not found.fits("flux2-klein", large, 0)
    assert large in found.tight("flux2-klein")
    assert small not in found.tight("flux2-klein")


def test_what_else_may_be_in_memory_counts() -> None:
    """Two at once, the largest two; one after the other, the largest alone."""
    names = LARGE[:2]
    Admission(names, card(24), most=1)
    with pytest.raises(base.DoesNotFit):
        Admission(names, card(24), most=2)
    with pytest.raises(base.DoesNotFit):
        Admission(names, card(24), most=0)
    Admission(names, card(48), most=0)


def test_on_a_processor_published_weights_take_twice_the_room() -> None:
    there, here = (admission.counted("z-image", kind) for kind in ("cuda", "cpu"))
    assert there
    assert here
    assert here.weights == 2 * there.weights
    ours = [admission.counted("pocket", kind) for kind in ("cuda", "cpu")]
    assert ours[0] == ours[1]


def test_engines_that_nobody_has_counted_are_let_through() -> None:
    assert admission.measure(["tests.bench.stub:FaceEngine"]) is None
    found = Admission(["tests.bench.stub:FaceEngine"], card(0.1), most=0)
    assert found.fits("tests.bench.stub:FaceEngine", (4096, 4096), 5)


def test_the_setting_lowers_what_there_is_and_never_raises_it() -> None:
    pytest.importorskip("torch")
    room = admission.measure(["pocket"])
    assert room
    assert room.size > 0.5 * GB
    low, high = (admission.measure(["pocket"], limit) for limit in (1.0, 1e18))
    assert low
    assert high
    assert low.size == 1.0
    assert high.size == pytest.approx(room.size, rel=0.3)


def test_a_studio_without_room_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def create(name: str, weights: Path) -> Any:
        made.append(name)
        return Model()

    monkeypatch.setattr(base, "create", create)
    monkeypatch.setattr(admission, "measure", lambda names, limit: card(1))
    with pytest.raises(base.DoesNotFit):
        Studio().open(["flux2-klein"], Path(), most=1)
    assert made == []


class Narrow(Admission):
    """Room for so many pixels of so many photos."""

    def __init__(self, pixels: int, photos: int = 5) -> None:
        super().__init__((), None, most=0)
        self.pixels, self.photos = pixels, photos

    def fits(self, name: str, size: admission.Size, photos: int) -> bool:
        return size[0] * size[1] <= self.pixels and photos <= self.photos


def test_what_cannot_fit_is_painted_smaller_without_being_tried(born: Any, shop: Shop) -> None:
    painted = words_only(width=1024, height=1024)
    job = ordered(painted)
    engine = shop.put(painted.engine, Model())
    shop.atelier.studio._admission = Narrow(512 * 512)
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("done", "")
    assert [order.width for order in engine.asked] == [512]
    assert shop.atelier.studio.rates == {}, "A smaller picture says nothing about this cost."


def test_what_cannot_fit_at_all_fails_and_says_why(born: Any, shop: Shop) -> None:
    painted = style()
    job = photographed(painted, 3)
    engine = shop.put(painted.engine, Model())
    shop.atelier.studio._admission = Narrow(0)
    born("gpu")
    shop.drain()
    assert (state(job), engine.asked) == (("failed", "out_of_memory"), [])


def test_what_cannot_end_in_time_at_its_best_is_not_begun(born: Any, shop: Shop) -> None:
    painted = words_only()
    engine = shop.put(painted.engine, Model())
    studio = shop.atelier.studio
    jobs = [ordered(painted), ordered(painted)]
    limit = settings.ITEM_LIMIT.total_seconds()
    born("gpu")
    taken = shop.atelier.claim()
    assert taken
    cost = taken[0].held.cost
    # The mean would refuse it; at its best it ends just in time.
    studio.note(painted.engine, cost, 0.9 * limit)
    for _ in range(50):
        studio.note(painted.engine, cost, 10 * limit)
    shop.atelier.paint(*taken)
    assert state(jobs[0]) == ("done", "")
    studio._fastest[painted.engine] = cost / (2 * limit)
    assert shop.drain() == 1
    assert state(jobs[1]) == ("failed", "took_too_long")
    assert len(engine.asked) == 1


def test_a_worker_whose_engine_has_no_room_says_so_and_ends(worker: Any) -> None:
    process = worker(ENGINES=json.dumps(["pocket"]), ENGINE_MEMORY_GB="0.2")
    assert process.ended(60) == 1
    said = process.log.read_text()
    assert "pocket does not fit" in said
    assert "0.2 GB" in said
