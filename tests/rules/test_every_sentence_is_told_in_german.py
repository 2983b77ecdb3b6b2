"""What people are told, they are told in their language: no sentence is without its translation."""

import ast
import io
import re
from collections.abc import Iterator

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils import translation
from rest_framework.exceptions import APIException

from deploy.env import ROOT
from portraits.refusals import FACE, FILE, HINTS
from privacy.errors import PrivacyError

CATALOGUE = ROOT / "deploy" / "locale" / "de" / "LC_MESSAGES" / "django.po"
ROOMS = ("accounts", "privacy", "portraits", "deploy")
# Calls whose texts people read.
TELLING = {
    "NotFound",
    "ParseError",
    "ValidationError",
    "NotAuthenticated",
    "NotReady",
    "_plain_error",
}


def heirs(root: type) -> Iterator[type]:
    yield root
    for heir in root.__subclasses__():
        yield from heirs(heir)


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
    own = [heir for heir in heirs(APIException) if heir.__module__.split(".")[0] in ROOMS]
    return {
        *(heir.sentence for heir in heirs(PrivacyError) if heir.__module__.split(".")[0] in ROOMS),
        *(str(heir.default_detail) for heir in own),
        *FILE.values(),
        *FACE.values(),
        *HINTS.values(),
        *written(),
    }


def test_every_sentence_has_a_german_one() -> None:
    with CATALOGUE.open("rb") as file:
        known = {message.id: message.string for message in read_po(file, "de") if message.id}
    assert sorted(sentences() - set(known)) == []
    for english, german in known.items():
        assert german != english
        assert german.endswith("."), english
        # Addresses, names of fields and numbers are the same in every language.
        for kept in re.findall(r"/v1/[\w/{}-]+|[a-z]+_[a-z_]+|\d+", english):
            assert kept in german, english


def test_what_is_compiled_is_what_is_written() -> None:
    compiled = io.BytesIO()
    with CATALOGUE.open("rb") as file:
        write_mo(compiled, read_po(file, "de"))
    assert CATALOGUE.with_suffix(".mo").read_bytes() == compiled.getvalue(), "make words"


def test_django_says_them() -> None:
    with translation.override("de-AT"):
        assert translation.gettext("There is no such job.") == "Diesen Auftrag gibt es nicht."
    with translation.override("fr"):
        assert translation.gettext("There is no such job.") == "There is no such job."
