"""Nowhere in a worker is there a thing that could turn a face into a template of it.

Looked for: installed packages, their files, the weights that lie here, and the code of the
engines. Models that find faces are allowed; models that tell one person from another are not.
"""

import ast
import json
import re
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from importlib.util import find_spec
from mmap import PROT_READ, mmap
from pathlib import Path

import pytest

from deploy.env import ROOT
from workers.engines.weights import MANIFEST

# Packages that make or compare face templates, or bring along a network or an interface that does:
# OpenCV has one (FaceRecognizerSF), though the weights are fetched apart.
PACKAGES = frozenset(
    """
    adaface arcface arcface-onnx compreface-sdk cvlface deepface dlib dlib-bin face-recognition
    face-recognition-models facenet facenet-pytorch facexlib gfpgan insightface instantid
    keras-facenet keras-vggface magface-torch mxnet-insightface openface photomaker pulid
    mediapipe opencv-contrib-python opencv-contrib-python-headless opencv-python
    opencv-python-headless spandrel spandrel-extra-arches uniface
    """.split()  # noqa: SIM905 - a list that people read and add to
)
MODULES = (
    *("insightface", "facenet_pytorch", "deepface", "face_recognition", "dlib", "spandrel"),
    *("cv2", "mediapipe"),
)
# What compiled code that makes one is called by.
SYMBOLS = (b"FaceRecognizer", b"FaceEmbedder", b"face_embedder", b"compute_face_descriptor")
# Where libraries put what they fetch behind anybody's back.
CACHES = (
    *(".insightface", ".deepface", ".keras", ".u2net"),
    *(".cache/torch", ".cache/huggingface", ".cache/insightface"),
)
# What a package that makes them would say of itself.
ABOUT = re.compile(
    r"fac(e|ial)[ _-](recogni|verif|embed|identif|template|match)|insight ?face|arc ?face", re.I
)
# Architectures and weight files of such models, as they are named in file names.
NAMES = re.compile(
    r"arc_?face|ada_?face|cos_?face|sphere_?face|mag_?face|face_?net(?!work)|insight_?face"
    r"|deep_?face|vgg_?face|open_?face|face_?recog|antelope_?v2|buffalo_[lms]|glint_?360k|w600k"
    r"|i_?resnet_?(50|100)|ir_?se_?(50|101)|pulid|instant_?id|photo_?maker|face_?id|face_?embed",
    re.IGNORECASE,
)
# What code that made one would have to say.
WORDS = re.compile(
    NAMES.pattern
    + r"|cv2|face_?recogni|mediapipe|faceanalysis|normed_embedding|id_embed|ip_adapter"
    r"|image_embeds|clipvision|face_encod|identity_encod",
    re.IGNORECASE,
)
# Where packages lie; usually one folder under two names.
INSTALLED = sorted({Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")})
KINDS = {".py", ".so", ".onnx", ".pt", ".pth", ".bin", ".safetensors", ".tflite", ".dat", ".h5"}


def packages(names: Iterable[str]) -> set[str]:
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names} & PACKAGES


def files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.suffix in KINDS and path.is_file())
    return sorted(path.name for path in found if NAMES.search(path.name))


def symbols(folder: Path) -> list[str]:
    """Compiled files that name such a thing."""
    found = []
    for path in folder.rglob("*.so*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            with path.open("rb") as file, mmap(file.fileno(), 0, prot=PROT_READ) as body:
                if any(body.find(symbol) >= 0 for symbol in SYMBOLS):
                    found.append(path.name)
    return sorted(found)


def locked(name: str) -> set[str]:
    """What a lock installs."""
    lines = (ROOT / "deploy" / "locks" / f"{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lines, re.MULTILINE))


def said(code: str) -> Iterator[str]:
    """Every name in a module, and every text that is not a docstring."""
    tree = ast.parse(code)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.alias(name=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ImportFrom(module=str(name)) | ast.keyword(arg=str(name)):
                yield name
            case ast.Constant(value=str(text)) if id(node) not in told:
                yield text


def test_no_such_package_is_installed() -> None:
    installed = [each.name for each in metadata.distributions()]
    assert "torch" in installed
    assert packages(installed) == set()
    # The control.
    assert packages([*installed, "Insight_Face", "DeepFace", "facenet.pytorch"]) == {
        "deepface",
        "facenet-pytorch",
    }
    assert [name for name in MODULES if find_spec(name)] == []


@pytest.mark.parametrize("lock", ["run", "engines", "dev"])
def test_no_lock_installs_one(lock: str) -> None:
    """A worker is installed from these; what else lies in this environment is another question."""
    names = locked(lock)
    assert {"onnxruntime", "diffusers"} <= names
    assert packages(names) == set()


def test_what_is_installed_beyond_the_locks_says_nothing_of_telling_faces_apart() -> None:
    """Nobody reviewed these when the locks were made, and the list above may not know them."""
    known = locked("dev") | {"torch", "pip"}
    strangers = {
        each.name: " ".join(each.metadata.get_all(key, []))
        for each in metadata.distributions()
        for key in ("Summary",)
        if re.sub(r"[-_.]+", "-", each.name).lower() not in known
    }
    assert [name for name, about in strangers.items() if ABOUT.search(f"{name} {about}")] == []


@pytest.mark.parametrize(
    "about",
    [
        "Facial recognition in two lines",
        "A light face verification framework",
        "InsightFace Python library",
        "face-recognition models",
    ],
)
def test_a_package_that_did_would_be_noticed(about: str) -> None:
    assert ABOUT.search(about)
    assert not ABOUT.search("Finds where faces are; a web interface for types and surfaces")


def test_no_installed_library_has_an_interface_for_it(tmp_path: Path) -> None:
    assert [symbols(folder) for folder in INSTALLED] == [[]] * len(INSTALLED)
    (tmp_path / "cv2.abi3.so").write_bytes(b"\x7fELF...cv::FaceRecognizerSF::create...")
    (tmp_path / "other.so.1").write_bytes(b"\x7fELF...cv::FaceDetectorYN::create...")
    assert symbols(tmp_path) == ["cv2.abi3.so"]


def test_nothing_of_the_kind_was_fetched_into_the_home_folder() -> None:
    assert [name for each in CACHES for name in files(Path.home() / each)] == []


def test_no_such_model_lies_in_any_installed_package(tmp_path: Path) -> None:
    assert [files(folder) for folder in INSTALLED] == [[]] * len(INSTALLED)
    for control in ("arcface_arch.py", "w600k_r50.onnx", "model_ir_se50.pth", "network.py"):
        (tmp_path / control).touch()
    assert files(tmp_path) == ["arcface_arch.py", "model_ir_se50.pth", "w600k_r50.onnx"]


def test_the_weights_that_lie_here_are_known_by_name() -> None:
    """The two that are ours to ship: one finds faces, one paints."""
    weights = ROOT / "workers" / "weights"
    assert {path.name for path in weights.iterdir() if path.is_dir()} == {"mtcnn", "pocket"}
    for manifest in weights.rglob(MANIFEST):
        assert not NAMES.search(manifest.read_text())


def test_no_code_of_a_worker_speaks_of_one() -> None:
    modules = list((ROOT / "workers").rglob("*.py"))
    assert len(modules) > 20
    found = {
        str(path.relative_to(ROOT)): name
        for path in modules
        for name in said(path.read_text())
        if WORDS.search(name)
    }
    assert found == {}


@pytest.mark.parametrize(
    "code",
    [
        "from insightface.app import FaceAnalysis",
        "import facenet_pytorch as net",
        "pipe.load_ip_adapter(folder)",
        "call(ip_adapter_image_embeds=x)",
        "load('weights/arcface.onnx')",
        "face_embedding = model(photo)",
        "def identity_encoder(x): ...",
        "import cv2",
        "cv2.FaceRecognizerSF.create(folder, '')",
        "net = load('face_recognition_sface_2021dec.onnx')",
    ],
)
def test_code_that_did_would_be_found(code: str) -> None:
    assert any(WORDS.search(name) for name in said(code))


def test_words_about_it_are_not_it() -> None:
    assert not any(WORDS.search(name) for name in said('"""No ArcFace in here."""\nx = 1'))


def test_the_published_models_in_the_registry_are_none(
    registry: dict[str, dict[str, object]],
) -> None:
    for name, entry in registry.items():
        assert not NAMES.search(json.dumps(entry)), name


@pytest.fixture
def registry() -> dict[str, dict[str, object]]:
    text = (ROOT / "deploy" / "models" / "registry.json").read_text()
    return dict(json.loads(text)["models"])
