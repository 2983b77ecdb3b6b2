"""The drawings of the architecture page are what the code is now, and each is shown."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from django.db import models

from deploy.drawings import compartments, files, machines, rooms, svg
from deploy.env import Role

DRAWN = files.render()


@pytest.mark.parametrize("file", DRAWN, ids=lambda file: file.stem)
def test_a_drawing_is_what_the_code_says(file: Any) -> None:
    assert file.exists(), "run python -m deploy.drawings"
    assert file.read_text() == DRAWN[file], "run python -m deploy.drawings"


def test_every_drawing_is_shown_on_the_page_and_no_other() -> None:
    shown = re.findall(r"\]\(drawings/([\w-]+\.svg)\)", files.PAGE.read_text())
    assert sorted(shown) == sorted(file.name for file in DRAWN)
    assert sorted(file.name for file in files.FOLDER.glob("*")) == sorted(shown)


@pytest.mark.parametrize("file", DRAWN, ids=lambda file: file.stem)
def test_a_drawing_is_whole_and_nothing_of_it_lies_outside(file: Any) -> None:
    root = ET.fromstring(DRAWN[file])  # noqa: S314 - our own file
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    space = "{http://www.w3.org/2000/svg}"
    title = root.find(f"{space}title")
    assert title is not None
    assert title.text
    for rect in root.iter(f"{space}rect"):
        x, y, wide, high = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height
    style = root.find(f"{space}style")
    assert style is not None
    assert "prefers-color-scheme: dark" in (style.text or "")


def test_no_room_imports_what_stands_above_it() -> None:
    found = rooms.imports()
    assert all(rooms.ROOMS.index(room) < rooms.ROOMS.index(other) for room, other in found)
    assert ("deploy", "workers") in found
    assert set(rooms.owns()) == set(rooms.ROOMS)


def test_the_compartments_are_those_that_the_promise_names() -> None:
    has = compartments.has()
    # Nobody can open both what comes in and what goes out.
    opens = {role: [what for what in has if what.startswith("opens") and has[what][role]]
             for role in compartments.ROLES}  # fmt: skip
    assert "opens portrait" in opens[Role.WEB]
    assert "opens reference" not in opens[Role.WEB]
    assert "opens portrait" not in opens[Role.GPU]
    assert opens[Role.UPKEEP] == opens[Role.BEAT] == []
    assert [role for role in compartments.ROLES if has["the internet"][role]] == [Role.COURIER]


def test_the_machines_are_read_from_the_sentences_beside_the_enums() -> None:
    by_name = {machine.name: machine for machine in machines.found()}
    assert {"Item", "Job", "Photo", "Blob", "Erasure", "Painter"} <= set(by_name)
    moves = set(by_name["Item"].moves)
    assert {("QUEUED", "RUNNING"), ("RUNNING", "QUEUED"), ("RUNNING", "DONE")} <= moves
    assert ("DONE", "QUEUED") not in moves
    assert by_name["Item"].says["QUEUED"] == "waiting for a worker"
    assert by_name["Blob"].ranks["(row deleted)"] == 3


def model(sentence: str) -> Any:
    class State(models.TextChoices):
        OPEN = "open"  # somebody waits
        CLOSED = "closed"

    State.__doc__ = sentence
    return type("Thing", (), {"__doc__": "A thing.", "State": State})


@pytest.mark.parametrize(
    ("sentence", "complaint"),
    [
        ("Whether somebody waits.", "does not say how it moves"),
        ("OPEN → SHUT; OPEN → CLOSED.", "has no state SHUT"),
        ("OPEN → (row deleted).", "does not say how it comes to CLOSED"),
    ],
)
def test_an_enum_whose_sentence_is_wrong_is_refused(sentence: str, complaint: str) -> None:
    thing = model(sentence)
    with pytest.raises(ValueError, match=complaint):
        machines.read(thing, thing.State)


def test_a_sentence_may_go_both_ways_and_end() -> None:
    thing = model("Something: OPEN ⇄ CLOSED → (row deleted); OPEN → (row deleted). Words.")
    machine = machines.read(thing, thing.State)
    assert machine.moves == (
        ("OPEN", "CLOSED"),
        ("CLOSED", "OPEN"),
        ("CLOSED", "(row deleted)"),
        ("OPEN", "(row deleted)"),
    )
    assert machine.says == {"OPEN": "somebody waits", "CLOSED": "", "(row deleted)": ""}
    assert machine.ranks == {"OPEN": 0, "CLOSED": 1, "(row deleted)": 2}


def test_words_are_broken_between_words() -> None:
    assert list(svg.wrapped("one two three four", 9)) == ["one two", "three", "four"]
    assert list(svg.wrapped("", 9)) == []
