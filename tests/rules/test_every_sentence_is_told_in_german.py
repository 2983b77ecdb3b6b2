"""What people are told, they are told in their language: no sentence is without its translation."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils import translation
from rest_framework.exceptions import APIException

from deploy.env import ROOT
from portraits.refusals import FACE, FILE, HINTS
from privacy.errors import PrivacyError
from privacy.inventory import TABLES

CATALOGUE = ROOT / "deploy" / "locale" / "de" / "LC_MESSAGES" / "django.po"
CATALOGUE_OF_STYLES = "portraits.migrations.0002_styles"
ROOMS = ("accounts", "privacy", "portraits", "deploy")
# Calls whose texts people read.
TELLING = {
    "NotFound",
    "ParseError",
    "ValidationError",
    "NotAuthenticated",
    "plain_error",
}


def heirs(root: type[Exception]) -> Iterator[Any]:
    found = [root]
    for heir in found:
        found += [other for other in heir.__subclasses__() if other not in found]
    return (heir for heir in found if heir.__module__.split(".")[0] in ROOMS)


def written() -> Iterator[str]:
    """Texts in calls, whole ones: what is put together from numbers is tried over HTTP."""
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and _name(node.func) in TELLING:
                    yield from _texts(node)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def sentences() -> set[str]:
    return {
        *(heir.sentence for heir in heirs(PrivacyError)),
        *(str(heir.default_detail) for heir in heirs(APIException)),
        *FILE.values(),
        *FACE.values(),
        *HINTS.values(),
        *written(),
        *(word for table in TABLES if table.lookup for word in (table.holds, table.keep)),
        *(description for _, _, description in import_module(CATALOGUE_OF_STYLES).POCKET),
    }


def test_every_sentence_has_a_german_one() -> None:
    with CATALOGUE.open("rb") as file:
        known = {str(line.id): str(line.string) for line in read_po(file, "de") if line.id}
    assert sorted(sentences() - set(known)) == []
    for english, german in known.items():
        assert german != english
        assert german.endswith(".") == english.endswith("."), english
        # Addresses, names of fields and numbers are the same in every language.
        for kept in re.findall(r"/v1/[\w/{}-]+|[a-z]+_[a-z_]+|\d+", english):
            assert kept in german, english


def test_what_is_compiled_is_what_is_written() -> None:
    with CATALOGUE.open("rb") as file:
        written = {line.id: line.string for line in read_po(file, "de") if line.id}
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = {line.id: line.string for line in read_mo(file) if line.id}
    assert compiled == written, "make words"


def test_django_says_them() -> None:
    with translation.override("de-AT"):
        assert translation.gettext("There is no such job.") == "Diesen Auftrag gibt es nicht."
    with translation.override("fr"):
        assert translation.gettext("There is no such job.") == "There is no such job."
