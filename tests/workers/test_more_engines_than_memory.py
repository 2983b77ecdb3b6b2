"""A worker may serve more engines than it holds: they are swapped, and verified when they leave."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from portraits import painters, painting, scheduling
from portraits.models import Painter
from tests.portraits.making import now
from tests.workers.painting import Model, Shop, ordered, state, words_only
from workers.engines import base
from workers.studio import Studio


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str, Model]:
    """Engines that are created by name."""
    made: dict[str, Model] = {}

    def create(name: str, weights: Path) -> Model:
        return made.setdefault(name, Model(print=name))

    monkeypatch.setattr(base, "create", create)
    return made


def two_loaded(names: str = "abc") -> Studio:
    studio = Studio()
    studio.open(list(names), Path(), most=2)
    return studio


def test_it_loads_as_many_as_it_may_hold_and_serves_all(models: dict[str, Model]) -> None:
    studio = two_loaded()
    assert studio.served == ("a", "b", "c")
    assert studio.loaded == ("a", "b")
    assert set(models) == {"a", "b"}


def test_with_all_in_memory_none_is_away(models: dict[str, Model]) -> None:
    studio = Studio()
    studio.open(["a", "b"], Path(), most=0)
    assert studio.loaded is None


def test_the_one_that_was_used_longest_ago_makes_room(models: dict[str, Model]) -> None:
    studio = two_loaded()
    assert studio.bring("a") is None
    assert studio.bring("c") is not None
    assert set(studio.engines) == {"a", "c"}
    assert models["b"].unloads == 1


def test_an_engine_that_comes_back_is_not_tried_out_again(models: dict[str, Model]) -> None:
    studio = two_loaded()
    for name in ("c", "a", "c", "b", "a"):
        studio.bring(name)
    assert models["a"].loads > 1
    assert {len(model.asked) for model in models.values()} == {1}


def test_weights_that_changed_are_noticed_when_they_leave(models: dict[str, Model]) -> None:
    studio = two_loaded()
    studio.bring("b")
    models["a"].print = "other"
    with pytest.raises(base.WeightsChanged):
        studio.bring("c")
    assert studio.changed() == ["a"]


def test_an_engine_that_cannot_be_loaded_is_served_no_more(
    models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = two_loaded()

    def refuse(name: str, weights: Path) -> Model:
        raise base.WeightsRefused("unet", "is not what its manifest promises")

    monkeypatch.setattr(base, "create", refuse)
    with pytest.raises(base.WeightsRefused):
        studio.bring("c")
    assert "c" not in studio.served


def test_closing_gives_everything_back(models: dict[str, Model]) -> None:
    studio = two_loaded()
    studio.close()
    assert (studio.served, studio.engines) == ((), {})
    assert [models[name].unloads for name in "ab"] == [1, 1]


def test_speed_is_the_mean_of_the_last_renders() -> None:
    studio = Studio()
    studio.note("a", 0, 1)
    assert studio.rates == {}
    studio.note("a", 10, 2)
    assert studio.rates == {"a": 5}
    for _ in range(40):
        studio.note("a", 10, 1)
    assert 9.9 < studio.rates["a"] <= 10


def test_work_for_an_engine_that_is_away_is_painted_after_a_swap(
    born: Any, shop: Shop, models: dict[str, Model]
) -> None:
    first, second = words_only(), words_only()
    shop.atelier.studio.open([first.engine, second.engine], Path(), most=1)
    jobs = [ordered(first), ordered(second), ordered(first)]
    born("gpu")
    assert shop.drain() == 3
    assert [state(job)[0] for job in jobs] == ["done"] * 3
    assert set(shop.atelier.studio.rates) == {first.engine, second.engine}


def test_work_whose_engine_is_lost_goes_back_uncounted_and_the_rest_is_painted(
    born: Any, shop: Shop, models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = words_only(), words_only()
    shop.atelier.studio.open([first.engine, second.engine], Path(), most=1)
    kept, lost = ordered(first), ordered(second)

    def refuse(name: str, weights: Path) -> Model:
        if name == second.engine:
            raise base.WeightsRefused("unet", "is gone")
        return models[name]

    monkeypatch.setattr(base, "create", refuse)
    born("gpu")
    shop.drain()
    assert (state(kept)[0], state(lost)[0]) == ("done", "queued")
    assert shop.broken == []


def test_weights_that_changed_on_the_way_out_end_the_process(
    born: Any, shop: Shop, models: dict[str, Model]
) -> None:
    first, second = words_only(), words_only()
    shop.atelier.studio.open([first.engine, second.engine], Path(), most=1)
    job = ordered(second)
    models[first.engine].print = "other"
    born("gpu")
    taken = shop.atelier.claim()
    assert taken
    shop.atelier.paint(*taken)
    (error,) = shop.broken
    assert isinstance(error, base.WeightsChanged)
    assert state(job)[0] == "queued"


def test_a_swap_is_logged_with_its_time_and_told_to_whoever_estimates(
    born: Any, shop: Shop, models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting, "affinity", scheduling.Affinity())
    first, second = words_only(), words_only()
    shop.atelier.studio.open([first.engine, second.engine], Path(), most=1)
    assert painting.affinity.measured is None, "Loading at the start is no swap."
    ordered(second)
    born("gpu")
    with capture_logs() as lines:
        shop.drain()
    (swap,) = [line for line in lines if line["event"] == "engine_swapped"]
    assert swap["engine"] == second.engine
    measured = painting.affinity.measured
    assert measured is not None
    assert swap["seconds"] == round(measured, 2)
    painters.announce("here", [first.engine], now(), swap_seconds=measured)
    assert Painter.objects.get(holder="here").swap_seconds == measured
    painters.leave("here")


def test_what_is_announced_says_what_is_loaded_and_how_fast() -> None:
    ready, holder = Painter.State.READY, f"here:{now().timestamp()}"
    painters.announce(holder, ["x1", "x2"], now(), loaded=["x1"], rates={"x1": 2.5})
    rows = Painter.objects.filter(holder=holder).order_by("engine")
    said = [(row.engine, row.state, row.loaded, row.rate) for row in rows]
    assert said == [("x1", ready, True, 2.5), ("x2", ready, False, None)]
    assert {"x1", "x2"} <= painters.alive(now())
    painters.announce(holder, ["x1", "x2"], now(), state=Painter.State.DRAINING)
    assert not {"x1", "x2"} & painters.alive(now())
    painters.leave(holder)
