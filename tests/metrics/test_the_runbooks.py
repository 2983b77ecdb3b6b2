"""What a runbook tells somebody to type can be typed: commands, statements, words of the logs."""

import re
from functools import lru_cache
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.db import connection

from deploy.env import ROOT, Env

DOCS = ROOT / "deploy" / "docs"
PAGES = [*sorted((DOCS / "runbooks").glob("*.md")), DOCS / "operating.md"]
EACH = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
# Of the reader's own shell, and of the table that says how commands read elsewhere.
SHELL = {"SITTER_URL"}
# What the kernel says, and not one of our processes.
KERNEL = {"killed process"}


@lru_cache
def source() -> str:
    rooms = ("accounts", "privacy", "portraits", "workers", "deploy")
    return "\n".join(file.read_text() for room in rooms for file in (ROOT / room).rglob("*.py"))


@lru_cache
def metrics() -> frozenset[str]:
    made = "\n".join(file.read_text() for file in (ROOT / "deploy" / "metrics").glob("*.py"))
    return frozenset(re.findall(r"\b(?:gauge|number)\(\s*\"(\w+)\"", made))


def statements(page: Path) -> list[str]:
    """What psql is given, quoted in either way and broken into lines as prose is."""
    found = re.findall(r"psql -c (?:\"([^\"]+)\"|'([^']+)')", page.read_text())
    return [" ".join((double or single).split()) for double, single in found]


@EACH
def test_the_statements_of_a_page_can_be_run(page: Path) -> None:
    for statement in statements(page):
        with connection.cursor() as cursor:
            cursor.execute(statement.replace("%", "%%"))
            cursor.fetchall()


def test_there_are_statements_to_run() -> None:
    assert sum(len(statements(page)) for page in PAGES) >= 7


@EACH
def test_what_a_page_looks_for_in_the_logs_is_what_the_code_says(page: Path) -> None:
    told = re.findall(r"grep (?:-\w+ )*(?:'([^']+)'|(\w+)) [\w*]*\.log", page.read_text())
    words = {word for row in told for part in row for word in part.split("|") if word}
    # A part of an event's name is enough for grep.
    assert {word for word in words - KERNEL if word not in source()} == set()


@EACH
def test_settings_commands_and_metrics_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    settings = set(re.findall(r"SITTER_[A-Z0-9_]+[A-Z0-9]", text)) - SHELL
    known = {f"SITTER_{name.upper()}" for name in Env.model_fields}
    assert settings <= known
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    told = set(re.findall(r"\bsitter_([a-z_]+[a-z])", text))
    logins = {"web", "intake", "gpu", "upkeep", "keeper", "courier", "migrator"}
    grouped = set(re.findall(r"sitter_\(([a-z_|]+)\)", text))
    parts = {part for group in grouped for part in group.split("|")}
    assert {
        name for name in told - logins if name not in metrics() and name not in source()
    } == set()
    assert {part for part in parts if not any(name.startswith(part) for name in metrics())} == set()


@EACH
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+?)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_no_page_asks_for_a_program_that_our_images_do_not_have() -> None:
    for page in PAGES:
        assert "dbshell" not in page.read_text(), page.name
