"""Weights whose licence may forbid earning money are not loaded unless the operator says so."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.engines import terms
from workers.engines.base import WeightsRefused
from workers.engines.terms import Terms


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = terms.agreed()
    yield
    terms.agree(before)


def folder(place: Path, manifest: object) -> Path:
    (place / "manifest.json").write_text(json.dumps(manifest))
    return place


@pytest.mark.parametrize("licence", ["Apache-2.0", "BSD-3-Clause", "MIT"])
def test_a_free_licence_is_read(licence: str, tmp_path: Path) -> None:
    assert terms.licence(folder(tmp_path, {"files": {}, "licence": licence})) == licence


@pytest.mark.parametrize(
    "licence", ["CC-BY-NC-4.0", "flux-1-dev-non-commercial-license", "other", "apache", "AGPL-3.0"]
)
def test_any_other_is_refused_until_the_operator_takes_it_on(licence: str, tmp_path: Path) -> None:
    place = folder(tmp_path, {"files": {}, "licence": licence})
    with pytest.raises(WeightsRefused, match="SITTER_ALLOW_NONCOMMERCIAL"):
        terms.licence(place)
    terms.agree(Terms(noncommercial=True))
    assert terms.licence(place) == licence


@pytest.mark.parametrize("manifest", [{"files": {}}, {"licence": ""}, {"licence": 1}, [], 3])
def test_a_manifest_without_a_licence_is_refused_even_then(
    manifest: object, tmp_path: Path
) -> None:
    terms.agree(Terms(noncommercial=True))
    with pytest.raises(WeightsRefused) as refusal:
        terms.licence(folder(tmp_path, manifest))
    assert refusal.value.file == "manifest.json"


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsRefused):
        terms.licence(tmp_path)


def test_the_setting_is_off_unless_it_is_set() -> None:
    assert terms.Terms() == Terms(noncommercial=False, compiled=None)
