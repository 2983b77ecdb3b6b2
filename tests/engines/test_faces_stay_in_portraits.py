"""The face gate finds the face in the pocket engine's portraits as often as in their photos."""

from collections import Counter

import pytest

from deploy.env import ROOT
from tests.figures import figure
from tests.images import corpus
from workers.engines.base import Order, Task, create
from workers.faces import Faces
from workers.outlet import Outlet
from workers.safety import OpenNsfw, Verdict

SEEDS = (1, 2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_style_is_held_back_for_a_face_or_for_decency() -> None:
    outlet = Outlet(OpenNsfw(), Faces())
    outlet.load()
    engine = create("pocket", ROOT / "workers" / "weights" / "pocket")
    engine.load()
    people = {
        f"{name} {tone}": corpus.toned(corpus.photo(name), tone, warmth)
        for name in ("grace_hopper.jpg", "astronaut.jpg")
        for tone, warmth in corpus.TONES[:2]
    }
    assert all(outlet.sees_face(photo, "strict") for photo in people.values())
    # How often the face was lost; a worker tries a second seed before it holds a portrait back.
    lost: Counter[str] = Counter()
    unsafe: list[str] = []
    n = 0
    for style in sorted(engine.describe().styles):
        for name, photo in people.items():
            for seed in SEEDS:
                n += 1
                order = Order(Task.IDENTITY, style, 512, 512, seed, references=(photo,))
                painted = engine.render(order, lambda done, total: None)
                if not outlet.sees_face(painted, "strict"):
                    lost[f"{style}, {name}"] += 1
                if outlet.judge.judge(painted) is not Verdict.SAFE:
                    unsafe.append(f"{style}, {name}, {seed}")
    engine.unload()
    held_back = [what for what, times in lost.items() if times == len(SEEDS)]
    figure(
        "face-found",
        value=f"{n - lost.total()} of {n}; held back at both seeds: {len(held_back)}",
        n=n,
        holds=not held_back,
        conditions=f"every pocket style, two people in two skin tones, {len(SEEDS)} seeds, 512 px,"
        f" found in {len(people)} of {len(people)} references; held back as indecent:"
        f" {len(unsafe)}",
    )
    assert held_back == []
    assert lost.total() <= 0.05 * n
    assert unsafe == []
