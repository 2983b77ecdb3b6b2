"""Everything the privacy floor refuses, one tree, one sentence each.

`code` is stable and part of the API; `sentence` is written for the person who reads it.
"""


class PrivacyError(Exception):
    """The root of the tree. `deploy/http.py` maps it to an answer once."""

    code = "privacy_error"
    sentence = "This is not possible."
    status = 409
    field: str | None = None

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


class DocumentUnknown(PrivacyError):
    """No such consent text is published."""

    code = "document_unknown"
    sentence = "This consent text is not published, or no longer. Fetch the newest and sign that."
    status = 422
    field = "document"


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
