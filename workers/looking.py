"""Looks at a picture that somebody handed in for the watermark. In the intake, without torch.

A stranger's file is decoded in the sandboxed child, as every photo is; here only clean pixels are
handled. Its manifest is not read: the library for that parses the file itself, in native code, and
this process holds keys.
"""

from datetime import timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from portraits import checks
from portraits.models import Check
from privacy import audit, heartbeats, leases, memory, storage, vault
from privacy.errors import BlobGone, PrivacyError, SealBroken
from workers import images, watermark
from workers.sandbox import Decoder, NotAPhoto

log = structlog.get_logger(__name__)
AGAIN_AFTER: Final = timedelta(seconds=1)


def run(decoder: Decoder) -> int:
    """Look at pictures until none waits; returns how many."""
    done = 0
    while not storage.resting() and (taken := checks.claim(timezone.now())):
        held, check = taken
        try:
            with heartbeats.during(held):
                _look(held, check, decoder)
        except (BlobGone, SealBroken):
            checks.end(held, Check.State.REFUSED, code="upload_expired")
        except PrivacyError as error:
            log.warning("check_postponed", code=error.code, work_id=str(check.id))
            leases.give_back(held, after=AGAIN_AFTER, forgiven=True)
        except DatabaseError:
            leases.forgive(held)
            raise
        except Exception as error:  # noqa: BLE001 - the next picture must not wait for this one
            log.warning("check_postponed", error=type(error).__name__, work_id=str(check.id))
            leases.give_back(held, after=AGAIN_AFTER)
        memory.forget()
        done += 1
    return done


def _look(held: leases.Claim, check: Check, decoder: Decoder) -> None:
    if check.blob_id is None:
        raise BlobGone
    handed_in = vault.read(check.blob_id, timezone.now(), why=audit.Reason.CHECKING)
    try:
        picture = images.rebuild(decoder.decode(handed_in.reveal()))
    except NotAPhoto as refusal:
        checks.end(held, Check.State.REFUSED, code=refusal.code)
        return
    found = watermark.detect(picture, settings.WATERMARK_KEY)
    checks.end(held, Check.State.ANSWERED, made_here=found.made_here)
