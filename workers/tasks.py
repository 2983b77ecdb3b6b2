"""One call a task. A task is an interface without logic; its message is an id at the most."""

import uuid

from django.conf import settings
from django.utils import timezone

from portraits import checks, endings, events, painters, receipts, references
from privacy import (
    chain,
    compact,
    copies,
    export,
    keys,
    notices,
    probes,
    proof,
    replay,
    restore,
    rotation,
    stages,
    sweeps,
    terms,
)
from workers import periods
from workers.app import app


@app.task(name="intake.check_reference")
def check_reference(photo_id: str) -> None:
    """Look at whatever photos wait; the id only says that one does."""
    from workers import intake

    intake.run()


@app.task(name="intake.check_picture")
def check_picture(check_id: str) -> None:
    """Look for our watermark in whatever was handed in; the id only says that something was."""
    from workers import intake

    intake.look()


@app.task(name="intake.export")
def copy_photos(export_id: str) -> None:
    """Re-seal photos to their owners, for the exports that wait."""
    copies.prepare(export.Sort.PHOTO, timezone.now)


@app.task(name="keeper.export")
def copy_signatures(export_id: str) -> None:
    """Re-seal signatures to their owners, for the exports that wait."""
    copies.prepare(export.Sort.SIGNATURE, timezone.now)


@app.task(name="intake.turn_fleet_keys")
@periods.once
def turn_fleet_keys() -> None:
    """Publish the days ahead and destroy seeds that nothing can need any more."""
    today = timezone.now().date()
    keys.publish_fleet_keys(today)
    keys.destroy_old_fleet_keys(today)


@app.task(name="gpu.generate")
def generate(item_id: str) -> None:
    """Wake whoever paints, if they rest; the id only says that something waits."""
    from workers import generate

    generate.wake()


@app.task(name="gpu.paint_trials")
def paint_trials(style_id: str) -> None:
    """Paint every style of this worker's that nobody can try yet; the id only says that one is."""
    from workers import generate

    generate.try_styles()


@app.task(name="courier.deliver")
def deliver(event_id: str) -> None:
    """Tell the operator's endpoint whatever waits; the id only says that something does."""
    from workers import courier  # only this role calls anybody outside

    courier.run()


@app.task(name="courier.grants")
def carry_grants(grant_id: str) -> None:
    """Exchange and revoke what waits with Apple; the id only says that something does."""
    from workers import providers  # only this role calls anybody outside

    providers.run()


@app.task(name="courier.fetch_keys")
@periods.once
def fetch_keys() -> None:
    """Fetch the keys that Apple and Google sign with, when they are old or wished for."""
    from workers import providers  # only this role calls anybody outside

    providers.fetch_keys(timezone.now())


@app.task(name="keeper.turn_keys")
@periods.once
def turn_evidence_key() -> None:
    """Publish the evidence key of the year and destroy those that nothing is sealed to."""
    today = timezone.now().date()
    keys.publish_evidence_key(today)
    keys.destroy_old_evidence_keys(today)


@app.task(name="keeper.rotate_root")
@periods.once
def rotate_root() -> None:
    """Make, rewrap, retire and destroy portrait roots, whatever is due."""
    rotation.turn(timezone.now())


@app.task(name="upkeep.erase")
def erase(erasure_id: str) -> None:
    """Take waiting erasures as far as they will go; what fails is tried again, for ever."""
    stages.work(timezone.now)


@app.task(name="upkeep.expire")
@periods.once
def expire() -> None:
    """End what has reached its deadline."""
    now = timezone.now()
    sweeps.expire(now)
    references.expire(now)
    endings.expire(now)
    events.expire(now)
    painters.forget(now)
    receipts.sign(now)
    checks.expire(now)
    export.end_copies(now)


@app.task(name="upkeep.reap")
@periods.once
def reap() -> None:
    """Delete the bodies of what was destroyed."""
    sweeps.reap()


@app.task(name="upkeep.reap_orphans")
@periods.once
def reap_orphans() -> None:
    """Delete what a crash left behind."""
    sweeps.reap_orphans(timezone.now())


@app.task(name="upkeep.compact")
@periods.once
def compact_accounts() -> None:
    """Rewrite the accounts' tables when somebody has been erased."""
    if compact.due(timezone.now(), settings.COMPACT_EVERY):
        compact.compact()


@app.task(name="upkeep.keep_ledger")
@periods.once
def keep_ledger() -> None:
    """Replay the erasure ledger after a restore; else count up its pulse and settle intents."""
    now = timezone.now()
    if replay.run(now, timezone.now) is None and restore.pulse(now):
        restore.resolve(now)


@app.task(name="upkeep.seal_ledgers")
@periods.once
def seal_ledgers() -> None:
    """Link what is new in the ledgers, and sign it."""
    chain.seal(timezone.now())


@app.task(name="upkeep.prove")
@periods.once
def prove() -> None:
    """Look at every promise, once a day."""
    if proof.due(timezone.now().date()):
        proof.run(timezone.now())


def probe(run_id: str) -> None:
    """Try the canaries of a proof with what this process holds."""
    probes.probe(uuid.UUID(run_id), timezone.now())


for role in ("intake", "gpu", "upkeep", "keeper"):
    app.task(name=f"{role}.probe")(probe)


@app.task(name="upkeep.requeue")
@periods.once
def requeue() -> None:
    """Nudge again for work that waits."""
    sweeps.requeue()


@app.task(name="upkeep.turn_keys")
@periods.once
def turn_receipt_key() -> None:
    """Publish the receipt key of the year."""
    keys.publish_receipt_key(timezone.now().date())


@app.task(name="upkeep.end_terms")
@periods.once
def end_terms() -> None:
    """End the rows, files and entries whose term is over."""
    terms.end(timezone.now())


@app.task(name="upkeep.remind_of_portraits")
@periods.once
def remind_of_portraits() -> None:
    """Tell people of portraits that end soon."""
    notices.remind_of_portraits(timezone.now())


@app.task(name="upkeep.tend_accounts")
@periods.once
def tend_accounts() -> None:
    """Warn the owners of accounts that nobody uses, and erase those accounts in the end."""
    notices.tend_accounts(timezone.now())


@app.task(name="upkeep.tell_of_orders")
@periods.once
def tell_of_orders() -> None:
    """Tell people of legal orders about them that were answered."""
    notices.tell_of_orders(timezone.now())


@app.task(name="upkeep.watch")
@periods.once
def watch() -> None:
    """Say how much is late: nothing, if all is well."""
    sweeps.watch(timezone.now())
