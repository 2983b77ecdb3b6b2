"""What Apple must be told when a person goes: that they do not sign in by it any more.

With a first sign-in comes a code, which the web seals to the courier and forgets. The courier
exchanges it for a token, keeps that sealed, and uses it once: to have it revoked. Until Apple has
confirmed, the erasure's receipt lists it as pending; the token is kept no longer than the receipt.
Refuses a second grant where one is held.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models.functions import Now

from privacy import crypto, dispatch, keys, leases
from privacy.crypto import Context
from privacy.crypto import Recipient as Key
from privacy.models import Erasure, Lease, SignInGrant
from privacy.plain import Plain
from privacy.recipients import Recipient

log = logging.getLogger(__name__)

KIND: Final = 13  # FORMAT.md's number; a grant is a row of its own and no blob
LEASE: Final = "grant"
APPLE: Final = "apple"
# Apple's codes are good for five minutes.
CODE_LASTS: Final = timedelta(minutes=5)
PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Errand:
    """One grant, held."""

    held: leases.Claim
    grant: SignInGrant


def keep(owner_id: uuid.UUID, provider: str, client: str, code: str, now: datetime) -> None:
    """Web: seal a code to the courier. One that nobody could exchange is not kept."""
    found = keys.grant_public()
    if provider != APPLE or found is None:
        return
    held = SignInGrant.objects.filter(subject_id=owner_id, client=client, ending_at=None)
    if held.exists():
        return
    label, public = found
    grant = SignInGrant(
        subject_id=owner_id, provider=provider, client=client, key_label=label, created_at=now
    )
    _fill(grant, Plain(code.encode()), public)
    with transaction.atomic():
        grant.save(force_insert=True)
        _open(grant.pk)


def end(owner_id: uuid.UUID, provider: str, now: datetime) -> int:
    """Have a person's grants revoked; returns how many there are. Asked again, it is the same."""
    with transaction.atomic():
        rows = SignInGrant.objects.filter(subject_id=owner_id, provider=provider)
        ids = list(rows.select_for_update().values_list("pk", flat=True))
        SignInGrant.objects.filter(pk__in=ids, ending_at=None).update(ending_at=now)
        for grant_id in ids:
            _open(grant_id)
    return len(ids)


def concerns(erasure: Erasure) -> bool:
    """Whether Apple knows this person from us."""
    return SignInGrant.objects.filter(subject_id=erasure.subject_id, provider=APPLE).exists()


def tell(erasure: Erasure) -> bool:
    """Upkeep: whether Apple has revoked everything. Until then the courier is asked again."""
    return end(erasure.subject_id, APPLE, erasure.requested_at) == 0


RECIPIENT: Final = Recipient(tell, concerns=concerns)


# --- The courier's side ------------------------------------------------------------------------


def claim() -> Errand | None:
    """The grant that has waited longest, or None."""
    while held := leases.claim(LEASE):
        grant = SignInGrant.objects.filter(pk=held.work_id).first()
        if grant is not None and (grant.ending_at or grant.state == SignInGrant.State.CODE):
            return Errand(held, grant)
        leases.close(held)
    return None


def open_token(errand: Errand) -> Plain:
    """The code or the token."""
    grant = errand.grant
    sealed = crypto.stored(bytes(grant.capsule), bytes(grant.body))
    return crypto.unseal(sealed, keys.grant_seed(grant.key_label), _context(grant))


def exchanged(errand: Errand, token: Plain) -> bool:
    """A code has become a token. False: somebody else has done it."""
    found = keys.grant_public()
    if found is None:
        return False
    grant = errand.grant
    grant.key_label, public = found
    _fill(grant, token, public)
    with transaction.atomic():
        if not leases.still_held(errand.held):
            return False
        SignInGrant.objects.filter(pk=grant.pk).update(
            state=SignInGrant.State.HELD,
            capsule=grant.capsule,
            body=grant.body,
            key_label=grant.key_label,
        )
        if SignInGrant.objects.filter(pk=grant.pk).exclude(ending_at=None).exists():
            leases.give_back(errand.held, forgiven=True)
        else:
            leases.close(errand.held)
    return True


def over(errand: Errand) -> None:
    """It is revoked, or was never good for anything: nothing of it is left."""
    with transaction.atomic():
        if leases.still_held(errand.held):
            SignInGrant.objects.filter(pk=errand.grant.pk).delete()
            leases.close(errand.held)


def again(errand: Errand, now: datetime) -> None:
    """Apple did not answer as hoped; a code that is too old by now is given up."""
    grant = errand.grant
    if grant.state == SignInGrant.State.CODE and now - grant.created_at > CODE_LASTS:
        over(errand)
        return
    pause = min(LONGEST_PAUSE, PAUSE * 2 ** min(errand.held.attempts - 1, 10))
    leases.give_back(errand.held, after=pause)


# --- Both --------------------------------------------------------------------------------------


def _open(grant_id: uuid.UUID) -> None:
    """Announce it. It is work of nobody's, so that no erasure takes it away with the person's."""
    waiting = Lease.objects.filter(kind=LEASE, work_id=grant_id)
    if not waiting.exists():
        leases.open_work(LEASE, grant_id, keys.SYSTEM_OWNER)
    elif waiting.filter(held_until=None).update(ready_at=Now()):
        log.info("grant_is_asked_again", extra={"work_id": str(grant_id)})
    dispatch.send(LEASE, grant_id)


def _fill(grant: SignInGrant, token: Plain, public: bytes) -> None:
    sealed = crypto.seal(token, public, _context(grant))
    grant.capsule, grant.body = sealed.capsule, bytes(sealed.body)


def _context(grant: SignInGrant) -> Context:
    return Context(KIND, Key.GRANT, grant.subject_id, grant.pk)
