"""Everything the privacy floor refuses, one tree, one sentence each.

`code` is stable and part of the API; `sentence` is written for the person who reads it.
"""


class PrivacyError(Exception):
    """The root of the tree. `deploy/http.py` maps it to an answer once."""

    code = "privacy_error"
    sentence = "This is not possible."
    status = 409
    field: str | None = None
    # Seconds after which trying again makes sense; sent as Retry-After.
    retry_after: int | None = None

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class ConsentMissing(PrivacyError):
    """No live consent for the purpose."""

    code = "consent_missing"
    sentence = (
        "Read and sign the consent for portrait generation first (GET /v1/consents/documents)."
    )
    status = 403


class ConsentOutdated(ConsentMissing):
    """The consent was given to a text that is no longer the newest."""

    code = "consent_outdated"
    sentence = "The consent text has changed. Read the new one and sign it to go on."


class ConsentExpired(ConsentMissing):
    """The consent was given longer ago than a signature holds."""

    code = "consent_expired"
    sentence = "Your consent has run out. Read the consent text again and sign it to go on."


class DocumentUnknown(PrivacyError):
    """No such consent text is published."""

    code = "document_unknown"
    sentence = "This consent text is not published, or no longer. Fetch the newest and sign that."
    status = 422
    field = "document"


class DocumentForeign(PrivacyError):
    """The text is for people who live in another region."""

    code = "document_of_another_region"
    sentence = (
        "This consent text is for another region than the one you live in. Fetch the texts of "
        "yours (GET /v1/consents/documents, signed in) and sign one of those."
    )
    status = 422
    field = "document"


class NotShown(PrivacyError):
    """Nobody signs what they have not been shown."""

    code = "not_shown"
    sentence = (
        "You have not been shown this consent text yet. Fetch it signed in "
        "(GET /v1/consents/documents), read it, then sign it."
    )
    field = "document"


class ReleaseIncomplete(PrivacyError):
    """A written release lacks one of its statements or the signature; nothing is signed."""

    code = "release_incomplete"
    sentence = "This is no complete written release. Type your name, and sign the text as it is."
    status = 422
    field = "typed_name"


class TooManyRequests(PrivacyError):
    """One device, person or address asks more often than anybody needs to."""

    code = "too_many_requests"
    sentence = "Too many requests. Nothing was changed; try again when Retry-After has passed."
    status = 429


class TooManyClaims(PrivacyError):
    """More reports from one address, or in one day, than anybody can answer."""

    code = "too_many_claims"
    sentence = "Too many reports have come in. Try again later; those that were sent are answered."
    status = 429


class SealBroken(PrivacyError):
    """A sealed body does not open, or is not the one that was written."""

    code = "seal_broken"
    sentence = "The stored data is damaged and cannot be opened."
    status = 410


class KeyNotHeld(PrivacyError):
    """This process does not hold the key that would be needed; by design."""

    code = "key_not_held"
    sentence = "This process does not hold the key that would open this."


class KeyFileRefused(PrivacyError):
    """A key file is missing, truncated, readable by others, or of the wrong kind."""

    code = "key_file_refused"
    sentence = "A key file cannot be used."


class KeysUnavailable(PrivacyError):
    """The key service does not answer; no key is lost."""

    code = "keys_unavailable"
    sentence = "The key service does not answer right now. Nothing was lost; try again in a minute."
    status = 503


class KeyDestroyed(PrivacyError):
    """The key was destroyed on purpose; nothing sealed to it can be opened again."""

    code = "key_destroyed"
    sentence = "This was erased and cannot be opened again."
    status = 410


class NotReady(PrivacyError):
    """A public key that is needed for sealing has not been published yet."""

    code = "not_ready"
    sentence = "The service is still starting. Try again in a few seconds."
    status = 503


class StorageDown(PrivacyError):
    """The bucket does not answer."""

    code = "storage_unavailable"
    sentence = "The storage does not answer right now. Nothing was lost; try again in a minute."
    status = 503


class BlobGone(PrivacyError):
    """The blob was destroyed, has expired, or never was completed."""

    code = "gone"
    sentence = "This has been deleted or has reached its deadline."
    status = 410


class OwnerErased(PrivacyError):
    """The owner has asked for erasure; nothing new may be written."""

    code = "erased"
    sentence = "This account has been erased."
    status = 410


class DeadlineRefused(PrivacyError):
    """A deadline was moved the wrong way or past the cap."""

    code = "deadline_refused"
    sentence = "A portrait can be kept for twelve months at the most, from when it was painted."
    status = 422
    field = "expires_at"


class NotYetGone(PrivacyError):
    """An erasure's proof found something; the machine goes back to work and never claims it."""

    code = "not_yet_gone"
    sentence = "Something of what was erased is still there."


class LedgerDown(PrivacyError):
    """The erasure ledger does not answer, so nothing may be ended that a backup could undo."""

    code = "ledger_unavailable"
    sentence = (
        "This cannot be written down safely right now, so nothing has changed. "
        "Try again in a minute."
    )
    status = 503


class LedgerUnreadable(PrivacyError):
    """An entry of the erasure ledger is torn or not ours; a replay stops rather than skip it."""

    code = "ledger_unreadable"
    sentence = "An entry of the erasure ledger cannot be read."
    status = 503


class RestorePending(PrivacyError):
    """The database was restored, and what people ended since is being ended again."""

    code = "restoring"
    sentence = (
        "The service was restored from a backup and is deleting again what was deleted since. "
        "Try again in a few minutes."
    )
    status = 503


class ExportUnknown(PrivacyError):
    """No such export, somebody else's, or deleted at its end."""

    code = "unknown_export"
    sentence = "There is no such export; each ends after 24 hours. Ask for a new one."
    status = 404


class ExportNotReady(PrivacyError):
    """Its parts are still being prepared."""

    code = "export_not_ready"
    sentence = "The export is still being prepared. Ask again in a few seconds."


class ExportUsed(PrivacyError):
    """It was fetched before; an archive is handed out once."""

    code = "export_used"
    sentence = "This export was fetched already, and each can be fetched once. Ask for a new one."
    status = 410


class ExportEnded(PrivacyError):
    """Its time is over."""

    code = "export_expired"
    sentence = "This export was not fetched in time and has been deleted. Ask for a new one."
    status = 410


class BucketRefused(PrivacyError):
    """The bucket is public, or keeps what was deleted from it."""

    code = "bucket_refused"
    sentence = "The bucket is not fit for pictures. Run `manage.py bucket --check`."


class ProbeRefused(PrivacyError):
    """A call to the web's probe that upkeep did not sign just now, or that was answered before."""

    code = "probe_refused"
    sentence = "Only upkeep may ask for this, with a fresh signature, once a proof."
    status = 403


class OrderUnknown(PrivacyError):
    """No such legal order."""

    code = "unknown_order"
    sentence = "There is no legal order of this number."
    status = 404


class SecondPersonMissing(PrivacyError):
    """One officer alone, or one person twice."""

    code = "second_person_missing"
    sentence = (
        "A legal order takes two officers. Somebody else than the one who filed it has to approve "
        "it, with a password and a code of their own."
    )


class OrderStale(PrivacyError):
    """It was filed or approved too long ago."""

    code = "order_stale"
    sentence = "This legal order has waited for more than seven days. File it anew."


class OrderAgreed(PrivacyError):
    """Both have agreed."""

    code = "order_agreed"
    sentence = "Two officers have agreed to this legal order already; the keeper can seal it."


class OrderSealed(PrivacyError):
    """Its package was handed out; an order is answered once."""

    code = "order_sealed"
    sentence = "The package of this legal order was sealed before. File a new one if it is lost."


class OrderKeyRefused(PrivacyError):
    """The recipient's key is no key, or not the one that both officers have agreed to."""

    code = "order_key_refused"
    sentence = "This is not the recipient's public key that the order was filed with."


class OrderOfNobody(PrivacyError):
    """The account that it is about does not exist."""

    code = "order_of_nobody"
    sentence = "No account has this id, so nothing is held on anybody that could be handed out."
