"""What single processes of an installation do in the drill, act by act (deploy/drill/cast.py).

Each is started with the environment of a role, so that its login and its keys are the real ones.
Which act and what it is told comes as a JSON line by standard input; it says how far it is, and at
the end its answer, as JSON lines on standard output. It ends with its input, or with an act that
failed.
"""

import hashlib
import json
import sys
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import Session, User
from portraits import jobs, references
from portraits.models import Item, Job, Photo, Portrait, Rendition, Style
from privacy import consent, erasure, keys, ledgerstore, restore, vault
from privacy.audit import Reason
from privacy.errors import PrivacyError
from privacy.models import Blob, ConsentDocument
from privacy.plain import Plain
from privacy.retention import Kind

AT_ONCE: Final = 4
# People between two words of how far it is.
SAYS_SO_EVERY: Final = 50
STYLE: Final = "pencil"
Told = dict[str, Any]
# A person and the blob of their portrait.
Pair = tuple[str, str]


def _each(act: Callable[[Any], Any], told: Sequence[Any]) -> list[Any]:
    """Side by side, saying how far it is."""

    def once(one: Any) -> Any:
        try:
            return act(one)
        finally:
            # A thread that ends would keep its connection from those of the next act.
            connections.close_all()

    found = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, one in enumerate(pool.map(once, told), 1):
            found.append(one)
            if number % SAYS_SO_EVERY == 0 or number == len(told):
                _say(done=number)
    return found


def _say(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


# --- People come ----------------------------------------------------------------------------------


def arrive(told: Told) -> list[Pair]:
    """So many people, each with an account, a consent, a key and a portrait: (person, blob).

    With the login that owns the tables, because nobody paints; the web's keys wrap theirs.
    """
    settings.ROOT_KEYS = Path(told["roots"])
    style = Style.objects.get(slug=STYLE, retired_at=None)
    text = consent.documents(consent.Purpose.GENERATION, "en", User().region)[0]
    return _each(lambda _: _settle(style, text), range(told["people"]))


def portrait_of(who: uuid.UUID) -> bytes:
    """Some bytes of this person's alone."""
    return hashlib.sha256(who.bytes).digest() * 8


def _settle(style: Style, text: ConsentDocument) -> Pair:
    now = timezone.now()
    who = User.objects.create(
        email=f"{uuid.uuid4().hex}@drill.example.org",
        password="!",  # noqa: S106 - a hash that no password has
        is_adult=True,
    ).pk
    consent.serve(who, [text], now)
    signed = consent.grant(who, text.pk, "Somebody of the drill", "drill", now)
    draft = vault.draft(Kind.PORTRAIT, who, Plain(portrait_of(who)), now)
    ended = {"created_at": now, "start_by": now, "ended_at": now, "body_sha256": b""}
    with transaction.atomic():
        keys.hold_owner(who)
        if not vault.commit([draft]):
            raise RuntimeError("A portrait of the drill was destroyed before it was committed.")
        job = Job.objects.create(owner_id=who, consent_id=signed.pk, state=Job.State.DONE, **ended)
        item = Item.objects.create(
            job=job, style=style, position=0, seed=1, state=Item.State.DONE,
            phase=Item.Phase.ENDED, percent=100, ended_at=now,
        )  # fmt: skip
        portrait = Portrait.objects.create(
            owner_id=who, item=item, blob_id=draft.blob_id, created_at=now
        )
        Rendition.objects.create(
            portrait=portrait, name="full", blob_id=draft.blob_id, width=8, height=8,
            media_type="image/png",
        )  # fmt: skip
    return str(who), str(draft.blob_id)


def wait(told: list[Pair]) -> list[str]:
    """The web: these people order a portrait, which nobody paints; the jobs' ids."""
    return _each(_order, told)


def _order(pair: Pair) -> str:
    who, now = uuid.UUID(pair[0]), timezone.now()
    made = references.create(who, None, now)
    photo = vault.draft(Kind.REFERENCE, who, Plain(portrait_of(who)), now)
    with transaction.atomic():
        keys.hold_owner(who)
        vault.commit([photo])
        Photo.objects.create(
            set=made, slot=Photo.Slot.FRONT, state=Photo.State.ACCEPTED, reference_id=photo.blob_id,
            created_at=now,
        )  # fmt: skip
    job, _ = jobs.submit(who, made.pk, [jobs.Order(STYLE)], uuid.uuid4().hex, now)
    store = Session.get_session_store_class()()
    store["_auth_user_id"] = str(who)
    store.create()
    return str(job.pk)


# --- People end things ----------------------------------------------------------------------------


def leave(told: list[Pair]) -> list[str]:
    """The web: these people erase their accounts; the ids under which their receipts will lie."""
    return _each(lambda pair: str(erasure.request(uuid.UUID(pair[0]), timezone.now()).pk), told)


def shorten(told: list[Pair]) -> str:
    """The web: these people's portraits shall end tomorrow; when that is."""
    now = timezone.now()
    end = now + timedelta(days=1)
    _each(lambda pair: vault.move_deadline(Blob.objects.filter(pk=pair[1]), end, now), told)
    return end.isoformat()


def withdraw(told: list[Pair]) -> int:
    """The web: these people take their consent back, and their portraits with it."""
    purpose = consent.Purpose.GENERATION
    for who, _ in told:
        now = timezone.now()
        consent.withdraw(uuid.UUID(who), purpose, "drill", now, erase_portraits=True)
    return len(told)


# --- Upkeep and what is seen afterwards -----------------------------------------------------------


def settle(told: None) -> int:
    """Upkeep, as each minute: count up the pulse and confirm what happened; how much that was."""
    now = timezone.now()
    if not restore.pulse(now):
        raise RuntimeError("A replay is due before the drill has lost anything.")
    confirmed = 0
    while more := restore.resolve(now + restore.SETTLED_AFTER * 2)["confirmed"]:
        confirmed += more
    return confirmed


def undecided(told: None) -> int:
    """Upkeep: how many entries of the ledger nothing has confirmed yet."""
    return len(ledgerstore.names(restore.INTENTS))


def opens(told: list[Pair]) -> int:
    """The web: how many of these portraits open, byte for byte."""
    return sum(_each(_opens, told))


def _opens(pair: Pair) -> bool:
    try:
        plain = vault.read(uuid.UUID(pair[1]), timezone.now(), why=Reason.PROOF)
    except PrivacyError:
        return False
    return plain.reveal() == portrait_of(uuid.UUID(pair[0]))


ACTS: Final[dict[str, Callable[[Any], Any]]] = {
    act.__name__: act for act in (arrive, wait, leave, shorten, withdraw, settle, undecided, opens)
}


def main() -> None:
    """Every act that is asked for by its name; Django is set up."""
    for line in sys.stdin:
        name, told = json.loads(line)
        _say(answer=ACTS[name](told))
