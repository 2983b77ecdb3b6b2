"""The table of ASVS leaves nothing out and names nothing that is not there."""

import re
from functools import lru_cache

import pytest

from deploy.env import ROOT
from deploy.management.commands.asvs_table import PAGE, STATES, Row, render, rows

# Section: the level of each of its requirements in order, as release 5.0.0 has them.
LEVELS = """
    1.1:22 1.2:1111122223 1.3:112222222223 1.4:222 1.5:123 2.1:122 2.2:112 2.3:12223 2.4:23 3.1:3
    3.2:113 3.3:12223 3.4:11222233 3.5:11122333 3.6:3 3.7:22333 4.1:12233 4.2:23333 4.3:22
    4.4:1222 5.1:2 5.2:112333 5.3:113 5.4:222 6.1:122 6.2:111111112222 6.3:11223333 6.4:112233
    6.5:22222333 6.6:2223 6.7:33 6.8:2222 7.1:222 7.2:1111 7.3:22 7.4:11222 7.5:223 7.6:22
    8.1:1233 8.2:1123 8.3:133 8.4:23 9.1:111 9.2:1222 10.1:22 10.2:223 10.3:22223
    10.4:1111122222233333 10.5:22222 10.6:22 10.7:222 11.1:2233 11.2:22233 11.3:11233 11.4:1222
    11.5:23 11.6:23 11.7:33 12.1:12233 12.2:11 12.3:22223 13.1:2333 13.2:222223 13.3:2233
    13.4:1222233 14.1:22 14.2:12223333 14.3:122 15.1:12233 15.2:12233 15.3:1222222 15.4:3333
    16.1:2 16.2:22222 16.3:2222 16.4:222 16.5:2223 17.1:23 17.2:22223333 17.3:22
"""
# Of level 3, those that we take as well.
CHOSEN = {"5.2.4", "5.2.6", "5.3.3", "11.3.4", "11.7.2", "14.2.7", "14.2.8", "15.4.2"}


def wanted() -> dict[str, str]:
    """id → level of everything that the table must hold."""
    found = {}
    for section, levels in (part.split(":") for part in LEVELS.split()):
        for number, level in enumerate(levels, start=1):
            name = f"{section}.{number}"
            if level in "12" or name in CHOSEN:
                found[name] = level
    return found


@lru_cache
def defined(file: str) -> frozenset[str]:
    """Names of the tests in a file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))


def fault(row: Row) -> str | None:
    """What is the matter with a row."""
    if row.state not in STATES:
        return "its state is none"
    file, _, test = row.shown_by.partition("::")
    if test and test not in defined(file):
        return f"{row.shown_by} is no test"
    if file and not (ROOT / file).is_file():
        return f"{file} is no file"
    if row.state == "met" and not file:
        return "nothing shows it"
    if row.state != "met" and not row.why:
        return "it does not say why"
    return None


def test_every_requirement_is_in_the_table_once() -> None:
    assert len(wanted()) == 261
    assert [(row.id, row.level) for row in rows()] == list(wanted().items())


def test_every_test_and_page_that_it_names_is_there() -> None:
    assert {row.id: told for row in rows() if (told := fault(row))} == {}


def test_the_page_is_what_the_rows_say() -> None:
    assert PAGE.read_text() == render(), "run manage.py asvs_table"


GOOD = Row("1.1.1", "2", "met", "Something", "tests/rules/test_the_asvs_table.py", "")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "fine"},
        {"shown_by": ""},
        {"shown_by": "tests/rules/test_the_asvs_table.py::test_that_nobody_wrote"},
        {"shown_by": "deploy/docs/nowhere.md"},
        {"state": "not met"},
    ],
)
def test_a_row_that_claims_what_is_not_there_is_found(change: dict[str, str]) -> None:
    assert fault(GOOD) is None
    assert fault(GOOD._replace(**change)) is not None
