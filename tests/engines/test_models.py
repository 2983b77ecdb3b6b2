"""`manage.py models` against a small hub on this machine: what is pinned comes, or nothing does."""

import io
import json
import pickle
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

torch = pytest.importorskip("torch")

from deploy.models import fetch, registry  # noqa: E402
from tests.engines.hub import FILES, REVISION, Hub, serving  # noqa: E402
from workers.engines.base import WeightsRefused, create  # noqa: E402
from workers.engines.real_esrgan import Enlarger  # noqa: E402
from workers.engines.weights import MANIFEST, verify_weights  # noqa: E402


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as held:
        yield held


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "weights").mkdir()
    return tmp_path


def listing(place: Path, hub: Hub, **changes: Any) -> Path:
    entry = {
        "repository": "them/model",
        "revision": REVISION,
        "licence": "Apache-2.0",
        "take": json.loads(registry.FILE.read_text())["models"]["flux2-klein"]["take"],
        "files": {},
    }
    said = {"hub": hub.address, "models": {"sample": entry | changes}}
    (place / "registry.json").write_text(json.dumps(said))
    return place / "registry.json"


def models(place: Path, *words: str) -> str:
    out = io.StringIO()
    where = {"registry": place / "registry.json", "weights": place / "weights"}
    call_command("models", *words, stdout=out, **where)
    return out.getvalue()


def pins(place: Path) -> dict[str, str]:
    said = json.loads((place / "registry.json").read_text())
    return dict(said["models"]["sample"]["files"])


def test_what_is_not_pinned_is_not_fetched_by_itself(place: Path, hub: Hub) -> None:
    listing(place, hub)
    with pytest.raises(CommandError, match="--pin"):
        models(place, "pull", "sample")
    assert hub.asked == []


def test_pinning_takes_what_an_engine_reads_and_writes_its_hashes_down(
    place: Path, hub: Hub
) -> None:
    listing(place, hub)
    assert "Apache-2.0" in models(place, "pull", "sample", "--pin")
    folder = place / "weights" / "sample"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {*FILES, MANIFEST}
    assert verify_weights(folder)
    assert pins(place) == {name: sha256(body).hexdigest() for name, body in FILES.items()}
    manifest = json.loads((folder / MANIFEST).read_text())
    assert (manifest["licence"], manifest["revision"]) == ("Apache-2.0", REVISION)
    assert "as pinned" in models(place, "verify")
    assert "here" in models(place, "list")


def test_afterwards_the_same_comes_anywhere_or_nothing(place: Path, hub: Hub) -> None:
    pinned = {name: sha256(body).hexdigest() for name, body in FILES.items()}
    listing(place, hub, files=pinned)
    hub.files = hub.files | {"transformer/config.json": b'{"changed": true}'}
    with pytest.raises(CommandError, match=r"transformer/config\.json"):
        models(place, "pull", "sample")
    assert not (place / "weights" / "sample").exists()
    hub.files = hub.files | FILES
    models(place, "pull", "sample")
    assert "as pinned" in models(place, "verify", "sample")


@pytest.mark.parametrize("resumes", [True, False])
def test_a_broken_download_goes_on_where_it_stopped(place: Path, hub: Hub, resumes: bool) -> None:
    listing(place, hub)
    hub.breaks_after = 3000
    with pytest.raises(CommandError, match="broke off"):
        models(place, "pull", "sample", "--pin")
    assert not (place / "weights" / "sample").exists()
    hub.breaks_after, hub.resumes = None, resumes
    before = len(hub.asked)
    models(place, "pull", "sample", "--pin")
    ranges = [wanted for _, wanted in hub.asked[before:] if wanted]
    assert ranges == ["bytes=3000-"]
    # What had come whole was not fetched again.
    assert not [path for path, _ in hub.asked[before:] if path.endswith("LICENSE.md")]
    assert pins(place)["transformer/diffusion_pytorch_model.safetensors"] == (
        sha256(FILES["transformer/diffusion_pytorch_model.safetensors"]).hexdigest()
    )


def test_a_changed_byte_is_found_by_verify(place: Path, hub: Hub) -> None:
    listing(place, hub)
    models(place, "pull", "sample", "--pin")
    file = place / "weights" / "sample" / "tokenizer" / "merges.txt"
    file.write_bytes(b"a c")
    with pytest.raises(CommandError, match=r"merges\.txt"):
        models(place, "verify")


def test_a_folder_that_agrees_with_itself_and_not_with_the_pins_is_found(
    place: Path, hub: Hub
) -> None:
    listing(place, hub)
    models(place, "pull", "sample", "--pin")
    folder = place / "weights" / "sample"
    (folder / "tokenizer" / "merges.txt").write_bytes(b"a c")
    model = registry.Registry(place / "registry.json").model("sample")
    fetch._state(folder, model)
    with pytest.raises(WeightsRefused, match="registry pins"):
        fetch.verify(model, folder.parent)
    for key in ("licence", "revision"):
        manifest = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps(manifest | {key: "another"}))
        with pytest.raises(WeightsRefused, match=key):
            fetch.verify(model, folder.parent)
        (folder / MANIFEST).write_text(json.dumps(manifest))


def test_pins_are_not_overwritten(place: Path, hub: Hub) -> None:
    file = listing(place, hub, files={"model_index.json": "0" * 64})
    with pytest.raises(registry.Unlisted):
        registry.Registry(file).pin("sample", {"model_index.json": "1" * 64})
    assert pins(place) == {"model_index.json": "0" * 64}


@pytest.mark.parametrize("name", ["transformer/../../../up.json", "/etc/x.json"])
def test_names_that_leave_the_folder_are_refused(place: Path, hub: Hub, name: str) -> None:
    listing(place, hub, take=["*"])
    hub.files = {name: b"{}"}
    with pytest.raises(CommandError, match="not a file"):
        models(place, "pull", "sample", "--pin")


def test_a_hub_that_answers_for_another_revision_is_refused(place: Path, hub: Hub) -> None:
    listing(place, hub)
    hub.revision = "0" * 40
    with pytest.raises(CommandError, match="another revision"):
        models(place, "pull", "sample", "--pin")


def test_an_answer_that_is_no_list_or_empty_is_refused(place: Path, hub: Hub) -> None:
    listing(place, hub, revision="main")
    with pytest.raises(CommandError, match="Not Found"):
        models(place, "pull", "sample", "--pin")
    listing(place, hub, take=["nothing/*"])
    with pytest.raises(CommandError, match="lists nothing"):
        models(place, "pull", "sample", "--pin")


def test_plain_http_from_another_machine_is_refused(place: Path, hub: Hub) -> None:
    listing(place, hub)
    with pytest.raises(CommandError, match="HTTPS"):
        models(place, "pull", "sample", "--pin", "--mirror", "http://mirror.invalid")
    hub.elsewhere = "http://mirror.invalid/x"
    with pytest.raises(CommandError, match="HTTPS"):
        models(place, "pull", "sample", "--pin")


def test_being_sent_on_is_followed(place: Path, hub: Hub) -> None:
    """As hubs do with large files: here to another name of the same machine."""
    listing(place, hub)
    there = hub.address.replace("127.0.0.1", "localhost")
    asked = hub.answer
    hub.answer = lambda path: asked(path.removeprefix("/sent"))  # type: ignore[method-assign]
    hub.sends = f"{there}/sent"
    models(place, "pull", "sample", "--pin")
    assert {path for path, _ in hub.asked if path.startswith("/sent")}
    assert pins(place).keys() == FILES.keys()


def test_a_folder_that_is_there_is_left_alone(place: Path, hub: Hub) -> None:
    listing(place, hub)
    models(place, "pull", "sample", "--pin")
    with pytest.raises(CommandError, match="already"):
        models(place, "pull", "sample", "--pin")


@pytest.mark.parametrize(
    "changes", [{"revision": ""}, {"licence": ""}, {"repository": ""}, {"files": {"a.json": "x"}}]
)
def test_an_entry_that_says_too_little_is_refused(
    place: Path, hub: Hub, changes: dict[str, Any]
) -> None:
    listing(place, hub, **changes)
    with pytest.raises(CommandError, match="registry"):
        models(place, "pull", "sample", "--pin")


def test_names_must_be_said_and_known(place: Path, hub: Hub) -> None:
    listing(place, hub)
    with pytest.raises(CommandError, match="Say which"):
        models(place, "pull")
    with pytest.raises(CommandError, match="no other"):
        models(place, "pull", "other")
    assert "No published weights" in models(place, "verify")


def archived(place: Path, hub: Hub, body: bytes, pin: str | None = None) -> None:
    hub.files = {"/RealESRGAN_x4plus.pth": body}
    entry = {
        "archive": f"{hub.address}/RealESRGAN_x4plus.pth",
        "sha256": pin or sha256(body).hexdigest(),
        "revision": "v0.1.0",
        "licence": "BSD-3-Clause",
        "files": {},
    }
    said = {"hub": hub.address, "models": {"real-esrgan": entry}}
    (place / "registry.json").write_text(json.dumps(said))


def test_an_archive_of_tensors_becomes_weights_that_load(place: Path, hub: Hub) -> None:
    network = Enlarger(4, 2, 1)
    body = io.BytesIO()
    torch.save({"params_ema": network.state_dict(), "params": {}}, body)
    archived(place, hub, body.getvalue())
    models(place, "pull", "real-esrgan")
    folder = place / "weights" / "real-esrgan"
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", MANIFEST}
    engine = create("real-esrgan", folder)
    engine.load()
    assert engine.describe().licence == "BSD-3-Clause"
    assert "as fetched" in models(place, "verify")


def test_an_archive_with_another_hash_is_thrown_away(place: Path, hub: Hub) -> None:
    archived(place, hub, b"anything", pin="0" * 64)
    with pytest.raises(CommandError, match="another hash"):
        models(place, "pull", "real-esrgan")
    assert not list(place.rglob("*.pth"))


class Trap:
    """Unpickled without restraint, it would leave a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def test_an_archive_that_runs_code_is_refused_and_does_not_run(place: Path, hub: Hub) -> None:
    sprung = place / "sprung"
    body = pickle.dumps({"params_ema": Trap(sprung)})
    # The control: the trap works.
    pickle.loads(body)  # noqa: S301
    assert sprung.exists()
    sprung.unlink()
    archived(place, hub, body)
    with pytest.raises(CommandError, match="tensors alone"):
        models(place, "pull", "real-esrgan")
    assert not sprung.exists()
    assert not (place / "weights" / "real-esrgan").exists()


def test_the_shipped_registry_pins_revisions_and_free_licences() -> None:
    known = registry.Registry()
    assert known.names == ("flux2-klein", "z-image", "qwen-edit", "real-esrgan")
    for name in known.names:
        model = known.model(name)
        assert model.licence in ("Apache-2.0", "BSD-3-Clause")
        assert len(model.revision) == 40 or model.sha256
        assert not model.wants("tokenizer/chat_template.jinja")
        assert not model.wants("transformer/pytorch_model.bin")
