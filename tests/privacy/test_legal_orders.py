"""A legal order takes two officers, leaves sealed to its recipient once, and its person is told."""

import hashlib
import io
import json
import re
import runpy
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.exceptions import InvalidTag
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, transaction

from accounts.models import User
from accounts.staff import officers
from accounts.staff.officers import OfficerRefused
from deploy.env import ROOT
from privacy import (
    crypto,
    erasure,
    export,
    factors,
    legal,
    letters,
    notices,
    retention,
    storage,
    sweeps,
    terms,
)
from privacy.errors import (
    OrderAgreed,
    OrderKeyRefused,
    OrderOfNobody,
    OrderSealed,
    OrderStale,
    OrderUnknown,
    OwnerErased,
    SecondPersonMissing,
)
from privacy.models import AuditEvent, Blob, ConsentEvidence, LegalOrder, Notice, OwnerKey
from privacy.plain import Plain
from privacy.retention import Kind, Term
from tests.portraits.making import JPEG, consenting, now, person, written
from tests.privacy import exporting, mailserver
from tests.privacy.desking import address, fresh, letter
from tests.staff.members import code as code_shown

SCRIPT = ROOT / "deploy" / "docs" / "open_package.py"
SEED = crypto.new_seed()
KEY = crypto.public_half(SEED)
COURT = LegalOrder.Reason.COURT


@pytest.fixture(autouse=True)
def dress(born: Any) -> Callable[[str], None]:
    """Everything here begins as the web."""
    made: Callable[[str], None] = born
    return made


@pytest.fixture(autouse=True)
def server(settings_of: Any) -> Iterator[mailserver.MailServer]:
    with mailserver.running(settings_of) as running:
        yield running


@pytest.fixture(scope="module")
def opened() -> Callable[[bytes, bytes], bytes]:
    """The recipient's own script."""
    found: Callable[[bytes, bytes], bytes] = runpy.run_path(str(SCRIPT))["opened"]
    return found


def filed(who: uuid.UUID, **more: Any) -> LegalOrder:
    return legal.file_order(who, COURT, KEY, uuid.uuid4(), now(), **more)


def agreed(who: uuid.UUID, **more: Any) -> LegalOrder:
    order = filed(who, **more)
    legal.approve(order.pk, KEY, uuid.uuid4(), now())
    return seen(order)


def seen(order: LegalOrder) -> LegalOrder:
    return LegalOrder.objects.get(pk=order.pk)


def sealed(order: LegalOrder, dress: Callable[[str], None]) -> bytes:
    """What the keeper hands out."""
    handed: list[bytes] = []
    dress("keeper")
    legal.seal(order.pk, KEY, now(), hand_out=handed.append)
    dress("web")
    return handed[0]


def with_portraits() -> uuid.UUID:
    who = consenting()
    written(Kind.PORTRAIT, who, JPEG + b"full")
    written(Kind.RENDITION, who, b'{"words": "a prompt"}')
    written(Kind.REFERENCE, who, b"a photo")
    return who


# --- Two officers -------------------------------------------------------------------------------


def test_one_officer_alone_is_refused_in_a_sentence() -> None:
    me = uuid.uuid4()
    order = legal.file_order(consenting(), COURT, KEY, me, now())
    with pytest.raises(SecondPersonMissing, match="takes two officers"):
        legal.approve(order.pk, KEY, me, now())
    assert seen(order).state == LegalOrder.State.FILED


def test_the_keeper_seals_nothing_without_a_second_person(dress: Callable[[str], None]) -> None:
    order = filed(with_portraits())
    with pytest.raises(SecondPersonMissing):
        sealed(order, dress)
    with pytest.raises(ProgrammingError, match="two officers"), transaction.atomic():
        legal._material(order.pk)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "approved"},
        {"state": "sealed"},
        {"second_id": uuid.uuid4()},
        {"telling": "told"},
        {"known_to": uuid.uuid4()},
    ],
)
def test_postgresql_itself_refuses_an_order_of_one(change: dict[str, Any]) -> None:
    order = filed(consenting())
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalOrder.objects.filter(pk=order.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalOrder.objects.filter(pk=order.pk).update(
            state="approved", approved_at=now(), second_id=order.first_id
        )


def test_two_agree_and_a_third_is_told_so() -> None:
    order = agreed(consenting())
    assert (order.state, order.second_id) == ("approved", order.second_id)
    with pytest.raises(OrderAgreed):
        legal.approve(order.pk, KEY, uuid.uuid4(), now())


def test_what_is_wrong_is_refused() -> None:
    with pytest.raises(OrderOfNobody):
        filed(uuid.uuid4())
    order = filed(consenting())
    with pytest.raises(OrderUnknown):
        legal.approve(uuid.uuid4(), KEY, uuid.uuid4(), now())
    other = crypto.public_half(crypto.new_seed())
    with pytest.raises(OrderKeyRefused):
        legal.approve(order.pk, other, uuid.uuid4(), now())
    for key in (b"", b"short", KEY[:-1], KEY + b"x"):
        with pytest.raises(OrderKeyRefused):
            legal.file_order(consenting(), COURT, key, uuid.uuid4(), now())


def test_it_does_not_wait_for_ever(dress: Callable[[str], None]) -> None:
    order = filed(consenting())
    with pytest.raises(OrderStale):
        legal.approve(order.pk, KEY, uuid.uuid4(), order.filed_at + legal.WITHIN)
    ready = agreed(consenting())
    dress("keeper")
    late = (ready.approved_at or now()) + legal.WITHIN
    with pytest.raises(OrderStale):
        legal.seal(ready.pk, KEY, late, hand_out=lambda package: None)


# --- The package --------------------------------------------------------------------------------


def test_the_recipient_opens_it_and_finds_what_may_be_in_it(
    dress: Callable[[str], None], opened: Callable[[bytes, bytes], bytes]
) -> None:
    who = with_portraits()
    order = agreed(who)
    package = sealed(order, dress)
    held = zipfile.ZipFile(io.BytesIO(opened(package, SEED)))
    account = json.loads(held.read("account.json"))
    assert account["email"] == address(who)
    (portrait,) = [name for name in held.namelist() if re.match(r"portraits/[0-9a-f-]+\.jpg", name)]
    assert held.read(portrait) == JPEG + b"full"
    (prompt,) = [name for name in held.namelist() if name.startswith("portraits/smaller/")]
    assert b"a prompt" in held.read(prompt)
    (release,) = [name for name in held.namelist() if name.startswith("releases/")]
    assert b"Grace Brewster Murray" in held.read(release)
    assert json.loads(held.read("consents.json"))[0]["verb"] == "granted"
    contents = json.loads(held.read("contents.json"))
    assert contents["left_out"] == []
    assert set(contents["files"]) == set(held.namelist()) - {"contents.json"}
    others = set(held.namelist()) - {"README.txt", release}
    assert not any(b"a photo" in held.read(name) for name in others)
    said = json.loads(held.read("order.json"))
    assert (said["order"], said["reason"]) == (str(order.pk), "court")
    row = seen(order)
    assert bytes(row.package_sha256 or b"") == hashlib.sha256(package).digest()
    assert str(row) == "legal order sealed"


def test_nobody_else_opens_it_and_it_is_bound_to_its_order(
    dress: Callable[[str], None], opened: Callable[[bytes, bytes], bytes]
) -> None:
    package = sealed(agreed(with_portraits()), dress)
    with pytest.raises(InvalidTag):
        opened(package, crypto.new_seed())
    for place in (20, 40, len(package) - 1):
        changed = bytearray(package)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            opened(bytes(changed), SEED)
    with pytest.raises(ValueError, match="no package"):
        opened(b"x" + package[1:], SEED)


def test_it_is_handed_out_once(dress: Callable[[str], None]) -> None:
    order = agreed(consenting())
    sealed(order, dress)
    for again in (
        lambda: sealed(order, dress),
        lambda: legal.approve(order.pk, KEY, uuid.uuid4(), now()),
    ):
        with pytest.raises(OrderSealed):
            again()


def test_where_handing_out_fails_nothing_was_sealed(dress: Callable[[str], None]) -> None:
    order = agreed(consenting())

    def full(package: bytes) -> None:
        raise OSError

    dress("keeper")
    with pytest.raises(OSError, match=r"^$"):
        legal.seal(order.pk, KEY, now(), hand_out=full)
    assert seen(order).state == LegalOrder.State.APPROVED


def test_whoever_leaves_while_it_is_packed_is_in_no_package(
    dress: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    who = with_portraits()
    order = agreed(who)
    pack = legal._packed

    def leaving(*given: Any) -> Plain:
        packed = pack(*given)
        # As an erasure leaves the row, whose own transaction cannot begin in this one.
        OwnerKey.objects.filter(pk=who).update(wrapped=None, public=b"", destroyed_at=now())
        return packed

    monkeypatch.setattr(legal, "_packed", leaving)
    dress("keeper")
    handed: list[bytes] = []
    with pytest.raises(OwnerErased):
        legal.seal(order.pk, KEY, now(), hand_out=handed.append)
    assert handed == []
    assert seen(order).state == LegalOrder.State.APPROVED


def test_what_does_not_open_is_listed_and_holds_nothing_up(
    dress: Callable[[str], None], opened: Callable[[bytes, bytes], bytes]
) -> None:
    who = with_portraits()
    portrait = Blob.objects.get(owner_id=who, kind=Kind.PORTRAIT)
    nothing = crypto.Context(3, crypto.Recipient.OWNER, who, portrait.pk)
    storage.put(portrait.name, crypto.seal(Plain(b"other"), KEY, nothing))
    prompt = Blob.objects.get(owner_id=who, kind=Kind.RENDITION)
    storage.delete([prompt.name])
    signature = ConsentEvidence.objects.get(consent__subject_id=who)
    signed = str(signature.pk)
    signature.delete()
    package = sealed(agreed(who), dress)
    held = zipfile.ZipFile(io.BytesIO(opened(package, SEED)))
    contents = json.loads(held.read("contents.json"))
    left = {row["id"]: row["because"] for row in contents["left_out"]}
    assert left == {
        str(portrait.pk): "seal_broken",
        str(prompt.pk): "gone",
        signed: "gone",
    }


def test_what_was_opened_is_on_record_under_nobodys_id(dress: Callable[[str], None]) -> None:
    who = with_portraits()
    order = agreed(who)
    sealed(order, dress)
    verbs = AuditEvent.objects.filter(object_id=order.pk).order_by("at", "pk")
    assert [event.verb for event in verbs] == [
        AuditEvent.Verb.ORDER_FILED,
        AuditEvent.Verb.ORDER_APPROVED,
        AuditEvent.Verb.ORDER_SEALED,
    ]
    ids = list(Blob.objects.filter(owner_id=who).values_list("pk", flat=True))
    reads = AuditEvent.objects.filter(
        reason=AuditEvent.Reason.LEGAL_ORDER, verb=AuditEvent.Verb.BLOB_READ, object_id__in=ids
    )
    assert reads.count() == 2
    mine = AuditEvent.objects.filter(subject_id=who)
    assert not mine.filter(reason=AuditEvent.Reason.LEGAL_ORDER).exists()


# --- Telling the person -------------------------------------------------------------------------


def in_their_copy(who: uuid.UUID, dress: Callable[[str], None]) -> Any:
    """What their own copy says of orders."""
    held = exporting.fetched(exporting.prepared(export.request(who, now()), dress))
    return json.loads(held.read("data/privacy.legalorder.json"))


def test_the_person_is_told_at_once_and_finds_it_in_their_copy(
    dress: Callable[[str], None], server: mailserver.MailServer
) -> None:
    who = consenting()
    order = agreed(who)
    sealed(order, dress)
    assert notices.orders_late(now()) >= 1
    dress("upkeep")
    assert notices.tell_of_orders(now()) >= 1
    notices.tell_of_orders(now())
    (raw,) = server.sent_to(address(who))
    assert letter(raw)[0] == "We had to answer a legal order about you"
    row = seen(order)
    assert (row.telling, row.known_to) == (LegalOrder.Telling.TOLD, who)
    dress("web")
    (said,) = in_their_copy(who, dress)
    assert said["reason"] == "order of a court"


def test_what_the_order_forbids_to_tell_is_told_when_its_silence_ends(
    dress: Callable[[str], None], server: mailserver.MailServer
) -> None:
    who = consenting()
    until = now() + timedelta(days=90)
    order = agreed(who, silent_until=until)
    sealed(order, dress)
    dress("upkeep")
    notices.tell_of_orders(until - timedelta(seconds=1))
    assert server.sent_to(address(who)) == []
    dress("web")
    assert in_their_copy(who, dress) == []
    dress("upkeep")
    notices.tell_of_orders(until)
    assert len(server.sent_to(address(who))) == 1
    assert seen(order).telling == LegalOrder.Telling.TOLD


def test_whoever_has_left_cannot_be_told(dress: Callable[[str], None]) -> None:
    who = consenting()
    order = agreed(who)
    sealed(order, dress)
    erasure.request(who, now())
    dress("upkeep")
    notices.tell_of_orders(now())
    assert (seen(order).telling, seen(order).known_to) == (LegalOrder.Telling.GONE, None)


def test_a_mail_server_that_is_away_is_asked_again(
    dress: Callable[[str], None], server: mailserver.MailServer, settings_of: Any
) -> None:
    who = consenting()
    order = agreed(who)
    sealed(order, dress)
    dress("upkeep")
    settings_of(EMAIL_PORT=1)
    notices.tell_of_orders(now())
    assert seen(order).telling == LegalOrder.Telling.DUE
    assert sweeps.overdue(now() + timedelta(hours=3))["orders_untold"] >= 1
    settings_of(EMAIL_PORT=server.server_address[1])
    server.refused[address(who)] = 450
    notices.tell_of_orders(now())
    assert seen(order).telling == LegalOrder.Telling.DUE
    server.refused.clear()
    notices.tell_of_orders(now())
    assert seen(order).telling == LegalOrder.Telling.TOLD


def test_two_upkeeps_tell_once(
    dress: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, server: mailserver.MailServer
) -> None:
    who = consenting()
    order = agreed(who)
    sealed(order, dress)
    dress("upkeep")
    untold = notices._untold
    began: list[bool] = []

    def slower(moment: Any) -> Any:
        """Another upkeep tells of it while this one still has it on its list."""
        found = list(untold(moment))
        if not began:
            began.append(True)
            notices.tell_of_orders(moment)
        return found

    monkeypatch.setattr(notices, "_untold", slower)
    notices.tell_of_orders(now())
    assert len(server.sent_to(address(who))) == 1
    assert seen(order).telling == LegalOrder.Telling.TOLD


def test_the_letter_names_nothing_of_the_order() -> None:
    for language, (subject, body) in letters.TEXTS[Notice.Sort.ORDER].items():
        assert body.count("{") == 1, language
        assert subject


def test_it_ends_with_its_term(dress: Callable[[str], None]) -> None:
    order = filed(consenting())
    LegalOrder.objects.filter(pk=order.pk).update(filed_at=order.filed_at - timedelta(days=5 * 365))
    assert retention.term(Term.LEGAL_ORDER) == timedelta(days=5 * 365)
    dress("upkeep")
    terms.end(now(), only=("legal_orders",))
    assert not LegalOrder.objects.filter(pk=order.pk).exists()


# --- The officers, and the command --------------------------------------------------------------


def officer(*, allowed: bool = True, staff: bool = True) -> tuple[User, str]:
    """(a member of staff who may, the secret of their authenticator)."""
    user = User.objects.create_user(fresh(), "correct-horse-9x", is_staff=staff)
    if allowed:
        right, _ = Permission.objects.get_or_create(
            codename="approve_legalorder",
            content_type=ContentType.objects.get_for_model(LegalOrder),
            defaults={"name": "approve"},
        )
        user.user_permissions.add(right)
    secret = generate_totp_secret()
    Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": factors.seal(user.pk, secret)}
    )
    return user, secret


def test_an_officer_is_known_by_password_and_a_code_that_counts_once() -> None:
    user, secret = officer()
    code = code_shown(secret)
    assert officers.prove(user.email.upper(), "correct-horse-9x", code, legal.PERMISSION) == user.pk
    with pytest.raises(OfficerRefused):
        officers.prove(user.email, "correct-horse-9x", code, legal.PERMISSION)


@pytest.mark.parametrize("lacks", ["password", "code", "right", "staff", "factor", "account"])
def test_nobody_else_passes_for_one_and_none_learns_why(lacks: str) -> None:
    user, secret = officer(allowed=lacks != "right", staff=lacks != "staff")
    if lacks == "factor":
        Authenticator.objects.filter(user=user).delete()
    with pytest.raises(OfficerRefused, match="No officer with this right"):
        officers.prove(
            fresh() if lacks == "account" else user.email,
            "another" if lacks == "password" else "correct-horse-9x",
            "000000" if lacks == "code" else code_shown(secret),
            legal.PERMISSION,
        )


class Typing:
    """Whoever sits at the keyboard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.secret = ""
        monkeypatch.setattr("getpass.getpass", self.answer)

    def answer(self, prompt: str) -> str:
        return "correct-horse-9x" if prompt.startswith("Password") else code_shown(self.secret)


def ran(*arguments: str) -> str:
    out = io.StringIO()
    call_command("legal_order", *arguments, stdout=out)
    return out.getvalue()


def test_the_whole_way_by_the_commands_of_the_docs(
    dress: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seed, key, package = tmp_path / "recipient.seed", tmp_path / "recipient.pub", tmp_path / "p"

    def script(*arguments: Any) -> int:
        command = [sys.executable, str(SCRIPT), *map(str, arguments)]
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert script("new", seed, key) == 0
    typing = Typing(monkeypatch)
    (one, first), (two, second) = officer(), officer()
    who = with_portraits()
    typing.secret = first
    about = ("--about", str(who), "--reason", "warrant", "--silent-until", "2999-01-01")
    told = ran("file", *about, "--key", str(key), "--officer", one.email)
    (order,) = re.findall(r"[0-9a-f-]{36}", told)
    named = ("--order", order, "--key", str(key))
    # A code counts once, so the same officer has none left; another half minute, another code.
    monkeypatch.setattr(Typing, "answer", lambda self, prompt: "correct-horse-9x")
    with pytest.raises(CommandError, match="each code counts once"):
        ran("approve", *named, "--officer", one.email)
    monkeypatch.undo()
    typing = Typing(monkeypatch)
    typing.secret = second
    assert "Approved" in ran("approve", *named, "--officer", two.email)
    assert f"by {one.pk}  and {two.pk}" in ran("list")
    assert "silent until 2999-01-01" in ran("list")
    with pytest.raises(CommandError, match="environment of the role keeper"):
        ran("seal", *named, "--out", str(package))
    dress("keeper")
    with pytest.raises(CommandError, match="cannot be written"):
        ran("seal", *named, "--out", str(tmp_path))
    assert "Only the recipient can open it" in ran("seal", *named, "--out", str(package))
    assert package.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="sealed before"):
        ran("seal", *named, "--out", str(tmp_path / "again"))
    assert script("open", seed, package, tmp_path / "p.zip") == 0
    assert "account.json" in zipfile.ZipFile(tmp_path / "p.zip").namelist()
    (tmp_path / "other").write_bytes(crypto.new_seed())
    assert script("open", tmp_path / "other", package, tmp_path / "q.zip") == 1
    assert script() == 1


def test_the_command_refuses_a_legal_order_without_a_second_person(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dress: Callable[[str], None]
) -> None:
    (tmp_path / "key").write_text(KEY.hex())
    me, secret = officer()
    order = legal.file_order(consenting(), COURT, KEY, me.pk, now())
    Typing(monkeypatch).secret = secret
    named = ("--order", str(order.pk), "--key", str(tmp_path / "key"))
    with pytest.raises(CommandError, match="Somebody else than the one who filed it"):
        ran("approve", *named, "--officer", me.email)
    dress("keeper")
    with pytest.raises(CommandError, match="takes two officers"):
        ran("seal", *named, "--out", str(tmp_path / "package"))
    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize(
    ("about", "says"),
    [
        (("--key", "nowhere"), "holds no public key"),
        (("--key", __file__), "holds no public key"),
        (("--silent-until", "soon"), "is no day"),
        (("--reason", "curiosity"), "invalid choice"),
    ],
)
def test_the_command_says_what_is_wrong(about: tuple[str, str], says: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY.hex())
    given = {
        "--about": str(person()),
        "--reason": "court",
        "--key": str(tmp_path / "key"),
        "--officer": fresh(),
    }
    given[about[0]] = about[1]
    with pytest.raises(CommandError, match=says):
        ran("file", *(word for pair in given.items() for word in pair))
