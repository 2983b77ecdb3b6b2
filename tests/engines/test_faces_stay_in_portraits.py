"""The face gate finds the face in the pocket engine's portraits as often as in their photos."""

from collections.abc import Iterator

import pytest

from tests.engines import painted
from tests.engines.painted import FACES, SEED, SIZE, TONES
from tests.figures import figure
from workers.engines.bridge import STYLES
from workers.faces import Faces
from workers.outlet import Outlet
from workers.safety import OpenNsfw, Verdict

# A worker tries a second seed where the first was held back, and so does this test; FULL=1 always.
SEEDS = (SEED, SEED + 1)


def _asked() -> Iterator[tuple[str, painted.Person]]:
    for number, style in enumerate(STYLES):
        for name in painted.by_turns(number, tuple(FACES)):
            yield from ((style, (name, *tone)) for tone in TONES[:2])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_style_is_held_back_for_a_face_or_for_decency(paint: painted.Paint) -> None:
    outlet = Outlet(OpenNsfw(), Faces())
    outlet.load()
    people = [(name, *tone) for name in FACES for tone in TONES[:2]]
    assert all(outlet.sees_face(painted.photo(person), "strict") for person in people)
    lost: list[str] = []
    held_back: list[str] = []
    unsafe: list[str] = []
    n = 0
    for style, person in _asked():
        what = f"{style}, {person[0]}, tone {person[1]}"
        good = 0
        for seed in SEEDS:
            n += 1
            portrait = paint(style, person, seed)
            decent = outlet.judge.judge(portrait) is Verdict.SAFE
            seen = outlet.sees_face(portrait, "strict")
            lost += [] if seen else [what]
            unsafe += [] if decent else [what]
            good += decent and seen
            if good and not painted.FULL:
                break
        held_back += [] if good else [what]
    figure(
        "face-found",
        value=f"{n - len(lost)} of {n}; held back at both seeds: {len(held_back)}",
        n=n,
        holds=not held_back,
        conditions=f"every pocket style, two people{painted.TURNS} in two skin tones, up to"
        f" {len(SEEDS)} seeds, {SIZE[0]} by {SIZE[1]}, found in {len(people)} of {len(people)}"
        f" references; held back as indecent: {len(unsafe)}",
    )
    assert held_back == []
    assert len(lost) <= 0.05 * n
    assert unsafe == []
