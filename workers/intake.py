"""Open an upload, clean it, check it, seal it again. Without torch, and never in the web.

The photo is decoded in a sandboxed child; here only clean pixels are handled. Whatever the
verdict, the upload is destroyed.
"""

import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from PIL import Image

from portraits import references
from portraits.models import Photo
from privacy import audit, heartbeats, leases, memory, storage, vault
from privacy.errors import BlobGone, OwnerErased, PrivacyError, SealBroken
from privacy.plain import Plain
from privacy.retention import Kind
from workers import images, looking, safety
from workers.gate import Gate, Verdict
from workers.sandbox import Decoder, NotAPhoto

log = structlog.get_logger(__name__)
# After a fault that is nobody's but the photo's, or ours.
AGAIN_AFTER = timedelta(seconds=1)
_decoder = Decoder(strict=settings.SANDBOX_STRICT)
_gate = Gate(settings.WEIGHTS / "mtcnn")
_judge: safety.Judge = safety.OpenNsfw()


def start() -> None:
    """Start the zygote, then load the detector and the judge."""
    _decoder.start()
    _gate.load()
    _judge.load()
    log.info("intake_ready", layers=sorted(_decoder.layers()))


def stop() -> None:
    """End the zygote."""
    _decoder.close()


def run() -> int:
    """Look at photos until none waits; returns how many."""
    done = 0
    while not storage.resting() and (taken := references.claim(timezone.now())):
        held, photo = taken
        started = time.monotonic()
        try:
            with heartbeats.during(held):
                _check(held, photo)
            seconds = round(time.monotonic() - started, 3)
            log.info("photo_checked", work_id=str(photo.id), seconds=seconds)
        except (BlobGone, OwnerErased):
            references.refuse(held, references.UPLOAD_EXPIRED)
        except SealBroken:
            references.refuse(held, "decode_failed")
        except PrivacyError as error:
            # The bucket or the database is away: the lease brings the photo back.
            log.warning("photo_postponed", code=error.code, work_id=str(photo.id))
            leases.give_back(held, after=leases.RENEW_EVERY, forgiven=True)
        except DatabaseError:
            leases.forgive(held)
            raise
        except Exception as error:  # noqa: BLE001 - the next photo must not wait for this one
            log.warning("photo_postponed", error=type(error).__name__, work_id=str(photo.id))
            leases.give_back(held, after=AGAIN_AFTER)
        memory.forget()
        done += 1
    return done


def look() -> int:
    """Look for our watermark in pictures that were handed in; returns how many."""
    return looking.run(_decoder)


def _check(held: leases.Claim, photo: Photo) -> None:
    if photo.upload_id is None:
        raise BlobGone
    now = timezone.now()
    upload = vault.read(photo.upload_id, now, why=audit.Reason.CHECKING)
    try:
        picture = images.rebuild(_decoder.decode(upload.reveal()))
    except NotAPhoto as refusal:
        references.refuse(held, refusal.code)
        return
    if _judge.judge(picture) is not safety.Verdict.SAFE:
        references.refuse(held, "unsafe_photo")
        return
    while True:
        compared = references.others(photo)
        verdict = _gate.check(picture, photo.slot, [_open(other) for other in compared])
        if verdict.code is not None:
            references.refuse(held, verdict.code)
            return
        if _accept(held, photo, picture, verdict, compared) or not leases.renew(
            held, progressed=True
        ):
            return


def _accept(
    held: leases.Claim,
    photo: Photo,
    picture: Image.Image,
    verdict: Verdict,
    compared: list[Photo],
) -> bool:
    """Seal the cleaned photo. False: somebody came in between; look again if it is still ours."""
    clean = Plain(images.encode_reference(picture))
    draft = vault.draft(
        Kind.REFERENCE,
        held.owner_id,
        clean,
        timezone.now(),
        expires_at=photo.set.expires_at,
    )
    said = references.Verdict(verdict.quality, verdict.face, verdict.hint or "")
    accepted = False
    try:
        accepted = references.accept(held, draft, said, compared)
    finally:
        if not accepted:
            vault.discard([draft])
    return accepted


def _open(other: Photo) -> Image.Image:
    if other.reference_id is None:
        raise BlobGone
    return images.open_reference(
        vault.read(other.reference_id, timezone.now(), why=audit.Reason.CHECKING).reveal()
    )
