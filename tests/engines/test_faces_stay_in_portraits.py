"""The face gate finds the face in the pocket engine's portraits as often as in their photos."""

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
    lost: list[str] = []
    unsafe: list[str] = []
    n = 0
    for style in sorted(engine.describe().styles):
        for name, photo in people.items():
            for seed in SEEDS:
                n += 1
                order = Order(Task.IDENTITY, style, 512, 512, seed, references=(photo,))
                painted = engine.render(order, lambda done, total: None)
                if not outlet.sees_face(painted, "strict"):
                    lost.append(f"{style}, {name}, {seed}")
                if outlet.judge.judge(painted) is not Verdict.SAFE:
                    unsafe.append(f"{style}, {name}, {seed}")
    engine.unload()
    figure(
        "face-found",
        value=f"{n - len(lost)} of {n}; references {len(people)} of {len(people)}",
        n=n,
        holds=not lost,
        conditions=f"every pocket style, two people in two skin tones, {len(SEEDS)} seeds, 512 px; "
        f"held back as indecent: {len(unsafe)}",
    )
    assert lost == []
    assert unsafe == []
