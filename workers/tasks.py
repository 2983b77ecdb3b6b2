"""One call a task. A task is an interface without logic; its message is an id at the most."""

from django.utils import timezone

from accounts.sessions import SessionStore
from portraits import endings, jobs, painters, references
from privacy import erasure, keys, leases, sweeps
from privacy.errors import PrivacyError
from workers.app import app


@app.task(name="intake.check_reference")
def check_reference(photo_id: str) -> None:
    """Look at whatever photos wait; the id only says that one does."""
    from workers import intake

    intake.run()


@app.task(name="intake.turn_fleet_keys")
def turn_fleet_keys() -> None:
    """Publish the days ahead and destroy seeds that nothing can need any more."""
    today = timezone.now().date()
    keys.publish_fleet_keys(today)
    keys.destroy_old_fleet_keys(today)


@app.task(name="gpu.generate")
def generate(item_id: str) -> None:
    """Paint whatever waits; the id only says that something does."""
    from workers import generate

    generate.run()


@app.task(name="keeper.turn_keys")
def turn_evidence_key() -> None:
    """Publish the evidence key of the year."""
    keys.publish_evidence_key(timezone.now().date())


@app.task(name="upkeep.erase")
def erase(erasure_id: str) -> None:
    """Take waiting erasures as far as they will go; what fails is tried again, for ever."""
    while held := leases.claim(erasure.LEASE):
        try:
            with leases.heartbeat(held):
                erasure.advance(held, timezone.now)
        except PrivacyError:
            leases.give_back(held, after=erasure.RETRY_AFTER)


@app.task(name="upkeep.expire")
def expire() -> None:
    """End what has reached its deadline."""
    now = timezone.now()
    references.expire(now)
    endings.expire(now)
    jobs.forget_keys(now)
    painters.forget(now)
    sweeps.expire(now)


@app.task(name="upkeep.reap")
def reap() -> None:
    """Delete the bodies of what was destroyed."""
    sweeps.reap()


@app.task(name="upkeep.reap_orphans")
def reap_orphans() -> None:
    """Delete what a crash left behind."""
    sweeps.reap_orphans(timezone.now())


@app.task(name="upkeep.requeue")
def requeue() -> None:
    """Nudge again for work that waits."""
    sweeps.requeue()


@app.task(name="upkeep.turn_keys")
def turn_receipt_key() -> None:
    """Publish the receipt key of the year."""
    keys.publish_receipt_key(timezone.now().date())


@app.task(name="upkeep.clear_sessions")
def clear_sessions() -> None:
    """Delete sessions that have expired."""
    SessionStore.clear_expired()
