"""What the doctor finds in a role's own settings, keys, weights, mail and machine."""

import os
import shutil
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.doctor import card, weights
from deploy.doctor.findings import Finding
from deploy.env import ROOT
from privacy.models import FleetKey, RootEpoch
from tests.deploy.doctoring import Admin, examined, wrong
from tests.portraits.making import now

Findings = Callable[..., list[Finding]]
Folders = dict[str, Path]
WEIGHTS = ROOT / "workers" / "weights"


# --- Settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("DEBUG", True, "settings.debug"),
        ("SECRET_KEY", "unset", "settings.secret_key"),
        ("ALLOWED_HOSTS", ["*"], "settings.hosts"),
        ("FLEET_KEYS", "somewhere", "settings.check"),
        ("ROOT_KEYS", None, "settings.check"),
        ("WEBHOOK_KEYS", ["whsec_"], "settings.check"),
        ("FILE_UPLOAD_HANDLERS", ["django.core.files.uploadhandler.A"], "settings.check"),
        ("OTLP_ENDPOINT", "http://collector.example.org:4318", "settings.traces"),
        ("SENTRY_DSN", "https://public@sentry.example.org/1", "settings.reports"),
    ],
)
def test_a_setting_that_is_wrong(
    setting: str, value: Any, name: str, healthy: Any, settings_of: Any
) -> None:
    healthy("web")
    settings_of(**{setting: value})
    assert name in wrong(examined("web"))


def test_what_production_asks_for_besides(healthy: Any, settings_of: Any) -> None:
    healthy("web")
    settings_of(PRODUCTION=True, CONTACT="", BUILD="", WATERMARK_KEY="sitter")
    assert wrong(examined("web")).keys() >= {
        "settings.hosts", "settings.facts", "settings.watermark", "settings.sender", "mail.folder",
    }  # fmt: skip


def test_a_collector_at_hand_and_a_processor_that_is_named_are_fine(
    healthy: Any, settings_of: Any
) -> None:
    healthy("web")
    settings_of(
        OTLP_ENDPOINT="http://127.0.0.1:4318",
        SENTRY_DSN="https://public@sentry.example.org/1",
        PROCESSORS=[{"name": "Somebody", "does": "error reports", "region": "eu"}],
    )
    assert wrong(examined("web")) == {}


# --- Keys ---------------------------------------------------------------------------------------


@pytest.fixture
def copied(healthy: Any, key_folders: Folders, tmp_path: Path, settings_of: Any) -> Folders:
    """Key folders that a test may spoil."""
    copies = {name: tmp_path / path.name for name, path in key_folders.items()}
    for name, path in key_folders.items():
        shutil.copytree(path, copies[name])
        copies[name].chmod(0o700)
    return copies


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_can_read(
    mode: int, healthy: Any, copied: Folders, settings_of: Any
) -> None:
    healthy("intake")
    settings_of(FLEET_KEYS=copied["FLEET_KEYS"])
    assert wrong(examined("intake")) == {}
    next(copied["FLEET_KEYS"].glob("*.key")).chmod(mode)
    assert wrong(examined("intake")).keys() == {"keys.mode", "keys.held"}


def test_a_key_folder_that_others_can_list(healthy: Any, copied: Folders, settings_of: Any) -> None:
    healthy("keeper")
    copied["ROOT_KEYS"].chmod(0o755)
    settings_of(ROOT_KEYS=copied["ROOT_KEYS"])
    assert wrong(examined("keeper")).keys() == {"keys.mode"}


def test_a_key_that_is_short_or_gone(healthy: Any, copied: Folders, settings_of: Any) -> None:
    healthy("intake")
    settings_of(FLEET_KEYS=copied["FLEET_KEYS"])
    key = copied["FLEET_KEYS"] / f"{now().date()}.key"
    key.write_bytes(b"\0" * 31)
    assert "has not 32 bytes" in wrong(examined("intake"))["keys.held"]
    key.unlink()
    assert "is missing" in wrong(examined("intake"))["keys.held"]


def test_a_key_folder_of_another_role_that_this_one_can_read(
    healthy: Any, copied: Folders, settings_of: Any
) -> None:
    healthy("upkeep")
    settings_of(PRODUCTION=True, RECEIPT_KEYS=copied["RECEIPT_KEYS"])
    found = wrong(examined("upkeep"))
    assert "root_keys" in found["keys.crossed"]
    assert "fleet_keys" in found["keys.crossed"]


def test_a_key_folder_that_is_not_there(healthy: Any, tmp_path: Path, settings_of: Any) -> None:
    healthy("upkeep")
    settings_of(RECEIPT_KEYS=tmp_path / "nothing")
    assert {"keys.folder", "keys.held"} <= wrong(examined("upkeep")).keys()


def test_fleet_keys_that_are_not_two_days_ahead(findings: Findings) -> None:
    FleetKey.objects.filter(label=str(now().date() + timedelta(days=2))).delete()
    assert wrong(findings("web")).keys() == {"keys.fleet_ahead"}


def test_a_seed_that_should_have_been_destroyed(
    healthy: Any, copied: Folders, settings_of: Any
) -> None:
    healthy("intake")
    old = copied["FLEET_KEYS"] / "2001-01-01.key"
    old.write_bytes(os.urandom(32))
    old.chmod(0o600)
    settings_of(FLEET_KEYS=copied["FLEET_KEYS"])
    assert wrong(examined("intake")).keys() == {"keys.fleet_old"}


def test_a_root_that_outlives_what_receipts_promise(findings: Findings, admin: Admin) -> None:
    admin.execute("UPDATE privacy_rootepoch SET created_at = now() - interval '20 days'")
    assert wrong(findings("web")).keys() == {"keys.root_late"}
    RootEpoch.objects.update(destroyed_at=now())
    assert "keys.no_root" in wrong(findings("web"))


def test_keys_of_the_year_that_nobody_has_published(findings: Findings, admin: Admin) -> None:
    admin.execute("DELETE FROM privacy_evidencekey")
    admin.execute("DELETE FROM privacy_receiptkey")
    assert wrong(findings("web")).keys() == {"keys.no_evidence", "keys.no_receipt"}


def _chain(folder: Path, days: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "t")])
    begin = datetime.now(UTC) - timedelta(days=90)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    (folder / "chain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def test_a_certificate_that_ends_or_is_none(healthy: Any, tmp_path: Path, settings_of: Any) -> None:
    healthy("gpu")
    tmp_path.chmod(0o700)
    settings_of(C2PA_KEYS=tmp_path, C2PA_KMS="alias/sitter-c2pa")
    assert wrong(examined("gpu")).keys() == {"keys.c2pa"}
    for days, said in ((-1, "error"), (10, "warning")):
        _chain(tmp_path, days)
        (tmp_path / "chain.pem").chmod(0o600)
        (found,) = [each for each in examined("gpu") if each.name == "keys.c2pa_expiry"]
        assert found.severity == said
    _chain(tmp_path, 90)
    assert "keys.c2pa_expiry" not in wrong(examined("gpu"))


# --- Weights, the card, the disk, mail -----------------------------------------------------------


def test_weights_that_were_changed_or_are_not_there(
    healthy: Any, tmp_path: Path, settings_of: Any
) -> None:
    healthy("gpu")
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    settings_of(WEIGHTS=tmp_path / "weights", ENGINES=["pocket"])
    assert wrong(examined("gpu")) == {}
    for file in ("pocket/unet/diffusion_pytorch_model.safetensors", "mtcnn/pnet.onnx"):
        with (tmp_path / "weights" / file).open("r+b") as body:
            body.seek(9000)
            body.write(b"\1\2\3")
    found = [each for each in examined("gpu") if each.name == "weights.changed"]
    assert len(found) == 2
    shutil.rmtree(tmp_path / "weights")
    assert "weights.missing" in wrong(examined("gpu"))


@pytest.mark.parametrize(("takes_it_on", "severity"), [(False, "error"), (True, "warning")])
def test_weights_that_may_not_earn_money(
    takes_it_on: bool, severity: str, tmp_path: Path, settings_of: Any
) -> None:
    (tmp_path / "manifest.json").write_text('{"licence": "research-only"}')
    settings_of(ALLOW_NONCOMMERCIAL=takes_it_on)
    (found,) = weights._licence("z-image", tmp_path)
    assert (found.name, found.severity) == ("weights.licence", severity)
    (tmp_path / "manifest.json").write_text('{"licence": "Apache-2.0"}')
    assert list(weights._licence("z-image", tmp_path)) == []


def test_an_engine_that_needs_a_card_where_there_is_none(
    healthy: Any, monkeypatch: pytest.MonkeyPatch, settings_of: Any
) -> None:
    healthy("gpu")
    monkeypatch.setenv("PATH", os.devnull)
    settings_of(ENGINES=["z-image"])
    found = wrong(examined("gpu"))
    assert found.keys() == {"machine.gpu", "weights.missing"}
    assert found["machine.gpu"].startswith("There is no GPU here")


@pytest.mark.parametrize(
    ("driver", "cuda", "name"),
    [("535.86.10", "13.0", "machine.driver"), ("580.1", None, "machine.torch")],
)
def test_a_driver_that_is_too_old_and_a_torch_without_cuda(
    driver: str,
    cuda: str | None,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings_of: Any,
) -> None:
    """The program stands in for NVIDIA's, which is there only where a card is."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho 'NVIDIA L4, {driver}, 23034'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(card, "built_for", lambda: cuda)
    assert wrong(list(card.look(now()))).keys() == {name}
    monkeypatch.setattr(card, "built_for", lambda: "12.8")
    assert wrong(list(card.look(now()))) == {}


def test_an_image_without_a_compiler_paints_uncompiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_of: Any
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA L4, 580.1, 23034'\n")
    program.chmod(0o755)
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(card, "built_for", lambda: "13.0")
    settings_of(ENGINES=["z-image"])
    assert wrong(list(card.look(now()))).keys() == {"machine.compiler"}
    (tmp_path / "cc").symlink_to("/bin/sh")
    assert wrong(list(card.look(now()))) == {}


def test_a_disk_that_is_full(
    findings: Findings, monkeypatch: pytest.MonkeyPatch, healthy: Any
) -> None:
    usage = shutil.disk_usage("/")._replace(free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    assert wrong(findings("web")).keys() == {"machine.disk"}


def test_a_mail_server_that_is_not_there(healthy: Any, settings_of: Any) -> None:
    healthy("upkeep")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings_of(
            EMAIL_FILE_PATH=None,
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=closed.getsockname()[1],
        )
        assert wrong(examined("upkeep")).keys() == {"mail.away"}
