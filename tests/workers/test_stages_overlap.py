"""While one paints, another fetches and a third stores; never two paint, never four are held."""

import threading
import time
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from PIL import ImageChops, ImageStat

from portraits import painting
from portraits.models import Item
from privacy import storage, vault
from privacy.audit import Reason
from privacy.errors import StorageDown
from privacy.models import Lease
from tests.chaos.person import wait
from tests.portraits.making import lapse, now
from tests.workers.painting import (
    Model,
    Shop,
    opened,
    ordered,
    picture,
    portraits,
    state,
    words_only,
)
from workers import commission, sizes
from workers.easel import Easel
from workers.vigil import PROGRESS_EVERY

COUNT, RENDER, SIDE_WORK = 8, 0.3, 0.2


def test_the_engine_waits_for_neither_fetching_nor_storing(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = words_only()
    job = ordered(painted, COUNT)
    fetch, renditions, most = commission.fetch, sizes.renditions, 0

    def slow_fetch(work: Any) -> Any:
        nonlocal most
        most = max(most, Lease.objects.exclude(held_until=None).count())
        time.sleep(SIDE_WORK)
        return fetch(work)

    def slow_renditions(*arguments: Any, **options: Any) -> Any:
        time.sleep(SIDE_WORK)
        return renditions(*arguments, **options)

    monkeypatch.setattr(commission, "fetch", slow_fetch)
    monkeypatch.setattr(sizes, "renditions", slow_renditions)
    engine = shop.put(painted.engine, Model(pause=RENDER / 10))
    born("gpu")
    shop.employ().wake()
    # One nudge is enough for three hands.
    wait("all are painted", lambda: portraits(job) == COUNT, seconds=60)
    spans = sorted(engine.spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    whole = spans[-1][1] - spans[0][0]
    # One after the other it would be 5.6 s at least, and the machine is shared.
    assert whole < COUNT * (RENDER + 2 * SIDE_WORK) * 0.8
    assert 2 <= most <= 3


def test_progress_is_written_four_times_a_second_at_most(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = words_only()
    job = ordered(painted)
    shop.put(painted.engine, Model(pause=0.02, steps=60))
    told: list[int] = []
    write = painting.progress

    def counted(held: Any, phase: Any, percent: int) -> bool:
        told.append(percent)
        return write(held, phase, percent)

    monkeypatch.setattr(painting, "progress", counted)
    born("gpu")
    began = time.monotonic()
    shop.drain()
    took = time.monotonic() - began
    assert state(job)[0] == "done"
    assert 3 <= len(told) <= took / PROGRESS_EVERY + 2
    assert told == sorted(told)


def test_a_held_lease_is_renewed_while_its_item_waits_and_paints(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from privacy import leases

    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.3))
    monkeypatch.setattr(leases, "HELD_FOR", timedelta(seconds=1.5))
    painted = words_only()
    jobs = [ordered(painted) for _ in range(2)]
    # One step without a word, which is longer than a lease.
    shop.put(painted.engine, Model(pause=2.5, steps=1))
    born("gpu")
    for thread in [shop.aside(), shop.aside()]:
        thread.join(30)
    assert [state(job)[0] for job in jobs] == ["done", "done"]
    ids = Item.objects.filter(job__in=jobs).values("pk")
    assert not Lease.objects.filter(work_id__in=ids).exists()


def test_a_portrait_may_be_stored_as_png_and_is_marked(
    born: Any, shop: Shop, settings_of: Any
) -> None:
    from portraits import provenance
    from portraits.models import Rendition

    painted = words_only()
    job = ordered(painted)
    shop.put(painted.engine, Model())
    settings_of(PORTRAIT_FORMAT="png")
    born("gpu")
    shop.drain()
    born("web")
    rows = {row.name: row for row in Rendition.objects.filter(portrait__item__job=job)}
    kinds = {name: row.media_type for name, row in rows.items()}
    assert kinds == {"full": "image/png", "preview": "image/jpeg", "thumb": "image/jpeg"}
    data = vault.read(rows["full"].blob_id, now(), why=Reason.OWNER).reveal()
    found = opened(data)
    away = ImageChops.difference(found, picture())
    assert 0 < max(ImageStat.Stat(away).rms) < 3, "the watermark and nothing else"
    assert provenance.SOURCE_TYPE.encode() in data
    assert found.info.get("XML:com.adobe.xmp", "").startswith("<?xpacket")


def test_a_bucket_that_fails_at_the_second_size_keeps_none_of_them(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = words_only()
    job = ordered(painted)
    shop.put(painted.engine, Model())
    put, names = storage.put, list[str]()

    def second_fails(name: str, sealed: Any) -> None:
        names.append(name)
        if len(names) == 2:
            raise StorageDown
        put(name, sealed)

    monkeypatch.setattr(storage, "put", second_fails)
    born("gpu")
    taken = shop.atelier.claim()
    assert taken
    shop.atelier.paint(*taken)
    assert (state(job), portraits(job)) == (("queued", ""), 0)
    assert not storage.exists(names[0])
    row = Lease.objects.get(work_id=taken[0].held.work_id)
    assert row.attempts == 0


def test_nothing_is_taken_while_the_bucket_rests(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = words_only()
    job = ordered(painted)
    shop.put(painted.engine, Model())
    born("gpu")
    monkeypatch.setattr(storage, "resting", lambda: True)
    assert shop.drain() == 0
    monkeypatch.undo()
    assert shop.drain() == 1
    assert state(job)[0] == "done"


def test_whatever_an_engine_raises_ends_its_item_only(born: Any, shop: Shop) -> None:
    painted = words_only()

    def strike(step: int) -> None:
        raise KeyError("an engine's mistake")

    jobs = [ordered(painted), ordered(painted)]
    shop.put(painted.engine, Model(strike))
    born("gpu")
    assert shop.drain() == 2
    assert [state(job)[0] for job in jobs] == ["queued", "queued"]


def test_hands_go_on_after_a_fault(shop: Shop) -> None:
    from workers.hands import Hands

    calls: list[int] = []

    def drain() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError
        return 0

    hands = Hands(drain, 1)
    hands.start()
    wait("it looks again", lambda: len(calls) >= 2, seconds=10)
    hands.leave()
    hands.wake()
    assert hands.join(time.monotonic() + 5)


# --- Whose turn it is at the easel ----------------------------------------------------------------


def at(easel: Easel, place: Any, order: list[str], name: str, until: threading.Event) -> Any:
    def wait_and_paint() -> None:
        with suppress(RuntimeError), easel.turn(place, lambda: None):
            order.append(name)
            until.wait(5)

    thread = threading.Thread(target=wait_and_paint, daemon=True)
    thread.start()
    return thread


def test_they_paint_in_the_order_of_their_claims() -> None:
    easel, order, go = Easel(lambda name: True), list[str](), threading.Event()
    first, second = easel.line_up("a"), easel.line_up("a")
    blocker = easel.line_up("a")
    threads = [at(easel, blocker, order, "blocker", go)]
    wait("it paints", lambda: order == ["blocker"], seconds=5)
    threads += [at(easel, second, order, "second", go), at(easel, first, order, "first", go)]
    time.sleep(0.2)
    go.set()
    for thread in threads:
        thread.join(5)
    assert order == ["blocker", "first", "second"]


def test_who_needs_a_swap_lets_those_pass_that_came_before() -> None:
    easel, order, go = Easel(lambda name: name == "here"), list[str](), threading.Event()
    go.set()
    early, away = easel.line_up("here"), easel.line_up("away")
    waiting = at(easel, away, order, "away", go)
    time.sleep(0.3)
    assert order == []
    at(easel, early, order, "early", go).join(5)
    waiting.join(5)
    assert order == ["early", "away"]


def test_who_gives_up_holds_up_nobody() -> None:
    easel, order, go = Easel(lambda name: name == "here"), list[str](), threading.Event()
    go.set()
    gone, away = easel.line_up("here"), easel.line_up("away")
    waiting = at(easel, away, order, "away", go)
    easel.leave(gone)
    easel.leave(gone)
    waiting.join(5)
    assert order == ["away"]


def test_what_may_have_ended_its_worker_is_painted_alone(born: Any, shop: Shop) -> None:
    painted = words_only()
    suspect = ordered(painted)
    born("gpu")
    lost = painting.claim((painted.engine,), now())
    assert lost is not None
    assert painting.progress(lost.held, Item.Phase.PAINTING, 5)
    lapse(lost.held)
    born("web")
    others = [ordered(painted) for _ in range(3)]
    inside: list[int] = []
    mine = Lease.objects.filter(queue=painted.engine)

    def count(step: int) -> None:
        held = mine.exclude(held_until=None)
        if held.filter(attempts__gt=1).exists():
            inside.append(held.count())

    shop.put(painted.engine, Model(hook=count, pause=0.01))
    born("gpu")
    shop.employ().wake()
    wait("all are painted", lambda: sum(map(portraits, [suspect, *others])) == 4, seconds=30)
    assert inside
    assert set(inside) == {1}
