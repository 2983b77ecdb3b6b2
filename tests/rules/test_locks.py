"""The locks agree with each other and with pyproject.toml, and name no machine and no registry."""

import re
import tomllib

import pytest

from deploy.env import ROOT

LOCKS = ROOT / "deploy" / "locks"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((LOCKS / f"{name}.txt").read_text()))


def extra(name: str) -> list[str]:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [*said["project"]["optional-dependencies"][name]]


def test_every_dependency_of_ours_is_in_the_lock() -> None:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    shipped = (
        said["optional-dependencies"][name] for name in ("intake", "gpu", "operator", "stack")
    )
    wanted = [*said["dependencies"], *(each for names in shipped for each in names)]
    names = {re.split(r"[\[=<>~! ]", each)[0].lower() for each in wanted} - {"torch"}
    assert len(names) > 20
    assert names <= pins("run").keys()


def test_what_more_is_installed_comes_in_the_same_versions() -> None:
    assert pins("run").items() < pins("engines").items() < pins("dev").items()


def test_who_paints_with_pocket_alone_installs_nothing_for_other_engines() -> None:
    wanted = dict(each.split("==") for each in extra("engines"))
    assert set(wanted) == {"accelerate", "transformers"}
    assert wanted.items() <= pins("engines").items()
    assert not wanted.keys() & pins("run").keys()


@pytest.mark.parametrize("name", ["opentelemetry", "sentry"])
def test_traces_and_error_reports_are_in_no_installation_that_did_not_ask(name: str) -> None:
    wanted = dict(each.split("==") for each in extra(name))
    assert wanted
    for lock in ("run", "engines", "web", "intake", "gpu"):
        assert not wanted.keys() & pins(lock).keys()
    assert wanted.items() <= pins("dev").items()


@pytest.mark.parametrize("name", ["run", "engines", "dev", "fuzz"])
def test_a_lock_pins_by_hash_and_says_nothing_of_where_it_was_made(name: str) -> None:
    lines = (LOCKS / f"{name}.txt").read_text().splitlines()
    other = re.compile(r"\s+--hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lines if not PIN.match(line) and not other.fullmatch(line)] == []
    assert "torch" not in pins(name), "Its builds differ by machine."
    assert not other.fullmatch("--find-links /somewhere")
