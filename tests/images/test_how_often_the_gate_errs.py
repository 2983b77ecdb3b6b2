"""B-01: how often the gate refuses a good photo, and that it accepts no bad one."""

import pytest

from tests.figures import figure
from tests.images import corpus
from workers.gate import Gate


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_accepts_no_bad_photo_and_refuses_at_most_one_good_one_in_twenty(gate: Gate) -> None:
    refused = {}
    n_good = 0
    for name, picture in corpus.good():
        n_good += 1
        verdict = gate.check(picture, "front", [])
        if not verdict.accepted:
            refused[name] = verdict.code
    accepted = []
    n_bad = 0
    for name, picture, other in corpus.bad():
        n_bad += 1
        if gate.check(picture, "front", [other] if other else []).accepted:
            accepted.append(name)
    low, high = corpus.interval(len(refused), n_good)
    bad_high = corpus.interval(len(accepted), n_bad)[1]
    share = len(refused) / n_good
    figure(
        "B-01",
        value=f"{len(accepted)} of {n_bad}; {share:.1%} of {n_good} ({low:.1%} to {high:.1%})",
        n=n_good + n_bad,
        holds=not accepted and share <= 0.05,
        conditions=f"slot front; two people in {len(corpus.SEEN)} tones, relit, turned, cropped,"
        f" compressed; 95 % Wilson intervals, bad accepted at most {bad_high:.1%}",
    )
    assert accepted == []
    assert share <= 0.05, refused
