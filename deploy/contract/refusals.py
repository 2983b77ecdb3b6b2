"""Which refusals each operation can answer with: one table, from which the document is written.

A refusal is named by its class, so that its status, code and sentence stand in one place only. What
follows from an operation's shape (a session, a body, an id in the address) is added by `document`;
here stands what is its own. Refuses nothing itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rest_framework.exceptions import (
    APIException,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    ParseError,
    UnsupportedMediaType,
)

from accounts import errors as a
from accounts.errors import SessionEnded
from deploy.http import BodyTooLarge, DatabaseDown
from portraits import errors as p
from portraits.refusals import FACE, FILE
from privacy import errors as e
from privacy.desk import errors as d


@dataclass(frozen=True)
class Refusal:
    """One answer that is no success."""

    status: int
    code: str
    sentence: str
    field: str | None = None
    waits: bool = False  # carries Retry-After

    @property
    def name(self) -> str:
        """Of its example in the document."""
        return f"{self.status}_{self.code}"


Source = type[e.PrivacyError] | type[APIException] | Refusal

BAD_REQUEST: Final = Refusal(400, "bad_request", "The request could not be understood.")
WAITS: Final = (429, 503)
# What any operation may answer, whoever asks and for whatever.
ALWAYS: Final[Sequence[Source]] = (
    BAD_REQUEST,
    NotAcceptable,
    e.TooManyRequests,
    DatabaseDown,
    e.RestorePending,
    e.StorageDown,
)
SIGNED: Final[Sequence[Source]] = (NotAuthenticated,)
SESSION: Final[Sequence[Source]] = (SessionEnded,)
ADDRESS: Final[Sequence[Source]] = (NotFound,)
# The second is said before the body is read, whatever it would have been (deploy/bounds.py).
BODY: Final[Sequence[Source]] = (
    *(UnsupportedMediaType, p.UploadTooLarge, BodyTooLarge),
    Refusal(408, "body_too_slow", "The request took too long to arrive."),
)
JSON: Final[Sequence[Source]] = (ParseError,)

# The codes of a field that is not as the schema says.
FIELD: Final = {
    "required": "This field is required.",
    "null": "This field may not be null.",
    "blank": "This field may not be blank.",
    "empty": "This list may not be empty.",
    "invalid": "This value is not of the kind that the field takes.",
    "invalid_choice": "This is not one of the choices.",
    "max_length": "This is longer than the field takes.",
    "min_length": "This is shorter than the field takes.",
    "max_value": "This is more than the field takes.",
    "min_value": "This is less than the field takes.",
    "max_string_length": "This number has too many digits.",
    "not_a_list": "A list is expected here.",
    "not_a_dict": "An object is expected here.",
    "date": "A date and a time are expected here.",
    "overflow": "This date is out of range.",
    "null_characters_not_allowed": "Null characters are not allowed.",
    "surrogate_characters_not_allowed": "Surrogate characters are not allowed.",
}
FIELDS: Final = tuple(Refusal(400, code, said, "field") for code, said in FIELD.items())
PHOTO: Final = tuple(Refusal(422, code, said, "photo") for code, said in {**FILE, **FACE}.items())
PICTURE: Final = tuple(Refusal(422, code, said, "photo") for code, said in FILE.items())

_SEALS: Final[Sequence[Source]] = (e.OwnerErased, e.NotReady, e.KeysUnavailable)
_OPENS: Final[Sequence[Source]] = (e.BlobGone, e.SealBroken, e.KeyDestroyed, e.KeysUnavailable)
_ENDS: Final[Sequence[Source]] = (e.OwnerErased, e.LedgerDown)
_CONSENT: Final[Sequence[Source]] = (e.ConsentMissing, e.ConsentOutdated, e.ConsentExpired)
_ASKING: Final[Sequence[Source]] = (p.TooManyStreams,)
_JOB: Final = {
    "source_and_reroll": ("A change of a portrait is no re-roll.", "items.0.reroll_of"),
    "not_for_this_change": ("Only `edit` and `refine` take words.", "items.0.source.words"),
    "duplicate_style": ("Name each style once.", "pack.styles"),
    "too_many_items": ("Ask for at most 4 portraits in one job, or for a pack.", "items"),
    "too_many_sources": ("Start from at most 4 portraits in one job.", "items"),
    "pack_too_large": ("A pack has at most 100 portraits: styles times variations.", "pack"),
    "items_and_pack": ("Send items or a pack, not both.", "pack"),
}

# allauth's own codes and those of tokens, with the sentences that they are said in.
_ACCOUNT: Final = {
    "email_taken": ("A user is already registered with this email address.", "email"),
    "email_password_mismatch": (
        "The email address and/or password you specified are not correct.",
        "password",
    ),
    "incorrect_password": ("Incorrect password.", "password"),
    "enter_current_password": ("Please type your current password.", "current_password"),
    "incorrect_code": ("Incorrect code.", "key"),
    "invalid_token": (
        "This token does not count here. Sign in with the provider again.",
        "id_token",
    ),
    "token_used": (
        "This token was used before. Sign in with the provider again.",
        "id_token",
    ),
    "connected_other": (
        "The third-party account is already connected to a different account.",
        None,
    ),
    "no_password": ("Your account has no password set up.", None),
    "cannot_generate_recovery_codes": (
        "You cannot generate recovery codes without having two-factor authentication enabled.",
        None,
    ),
    "password_too_short": ("This password is too short.", "password"),
    "password_too_common": ("This password is too common.", "password"),
    "password_entirely_numeric": ("This password is entirely numeric.", "password"),
    "password_too_similar": ("The password is too similar to the email address.", "password"),
    "password_too_guessable": (
        "This password is a word that would be tried here first, with a little around it. Choose"
        " another one.",
        "password",
    ),
    "password_breached": (
        "This password has become known by a breach elsewhere. Choose another one.",
        "password",
    ),
}
_NEW_PASSWORD: Final = (
    *("password_too_short", "password_too_common", "password_breached"),
    *("password_entirely_numeric", "password_too_similar", "password_too_guessable"),
)
# Whoever guesses is counted, and nobody guesses where nothing counts.
_GUESSING: Final[Sequence[Source]] = (a.TooManyAttempts, a.SignInAway)


_CODE: Final = Refusal(400, "incorrect_code", "Incorrect code.", "code")
_CREDENTIAL: Final = (
    Refusal(400, "incorrect_code", "Incorrect code.", "credential"),
    Refusal(
        400,
        "incorrect_passkey",
        "This passkey does not count here. Begin again.",
        "credential",
    ),
    Refusal(400, "foreign_origin", "This app may not use passkeys of this service.", "credential"),
)
# What any address says to whom it does not know.
_ASKED: Final[Sequence[Source]] = (a.ReauthenticationRequired, a.SignInAway)
_STEP: Final[Sequence[Source]] = (a.NotSignedIn, a.NotNow, *_GUESSING)
_OPENED: Final[Sequence[Source]] = (e.SealBroken, e.KeyDestroyed, e.KeysUnavailable)
_SEALED: Final[Sequence[Source]] = (e.OwnerErased, e.NotReady, e.KeysUnavailable)


def _account(*codes: str) -> Sequence[Source]:
    return tuple(Refusal(400, code, *_ACCOUNT[code]) for code in codes)


_TOKEN: Final[Sequence[Source]] = (
    *_account("invalid_token", "token_used"),
    *(a.ProviderOff, a.ProviderAway, *_GUESSING),
)


OPERATIONS: Final[dict[str, Sequence[Source]]] = {
    "signUp": (
        *_account("email_taken", *_NEW_PASSWORD),
        *(a.AlreadySignedIn, a.NotNow, SessionEnded),
        *_GUESSING,
    ),
    "signIn": (
        *_account("email_password_mismatch"),
        *(a.AlreadySignedIn, a.NotNow, a.NotSignedIn, SessionEnded),
        *_GUESSING,
    ),
    "getSession": (a.SignInAway,),
    "signOut": (a.SignInAway,),
    "reauthenticate": (*_account("incorrect_password"), *_GUESSING),
    "verifyEmail": (*_account("incorrect_code"), a.NotNow, *_GUESSING),
    "resendEmailCode": (a.NotNow, *_GUESSING),
    "requestPasswordReset": (a.AlreadySignedIn, a.NotNow, *_GUESSING),
    "resetPassword": (*_account("incorrect_code", *_NEW_PASSWORD), a.NotNow, *_GUESSING),
    "changePassword": (
        *_account("enter_current_password", *_NEW_PASSWORD),
        *(a.ReauthenticationRequired, *_GUESSING),
    ),
    "signInWithProvider": (
        *_TOKEN,
        *(a.SignUpNeeded, a.AccountExists, a.AddressNeeded),
        *(a.AlreadySignedIn, a.NotNow, a.NotSignedIn, SessionEnded),
    ),
    "reauthenticateWithProvider": _TOKEN,
    "listProviders": (a.SignInAway,),
    "createProvider": (*_account("connected_other"), *_TOKEN, a.ReauthenticationRequired),
    "deleteProvider": (*_account("no_password"), a.UnknownFactor, *_ASKED),
    "listFactors": (*_ASKED, *_OPENED),
    "getPasskeyCreation": _ASKED,
    "createPasskey": (*_CREDENTIAL, *_ASKED, *_SEALED),
    "updatePasskey": (a.UnknownFactor, *_ASKED),
    "deletePasskey": (a.UnknownFactor, *_ASKED),
    "getPasskeySignIn": (a.AlreadySignedIn, *_GUESSING),
    "signInWithPasskey": (*_CREDENTIAL, a.AlreadySignedIn, *_STEP),
    "getPasskeyStep": (a.NotSignedIn, a.SignInAway),
    "verifyPasskeyStep": (*_CREDENTIAL, *_STEP),
    "getPasskeyReauthentication": (a.SignInAway,),
    "reauthenticateWithPasskey": (*_CREDENTIAL, *_GUESSING),
    "verifyCodeStep": (_CODE, *_STEP, *_OPENED),
    "reauthenticateWithCode": (_CODE, *_GUESSING, *_OPENED),
    "getTotp": (a.SignInAway, *_SEALED, *_OPENED),
    "createTotp": (_CODE, *_ASKED, *_SEALED, *_OPENED),
    "deleteTotp": (*_ASKED, *_SEALED),
    "listRecoveryCodes": (a.NoRecoveryCodes, *_ASKED, *_OPENED),
    "createRecoveryCodes": (
        *_account("cannot_generate_recovery_codes"),
        *(*_ASKED, *_SEALED, *_OPENED),
    ),
    "listSessions": (),
    "endSession": (a.UnknownSession,),
    "listReceiptKeys": (),
    "getPrivacyFacts": (),
    "getTransparency": (*FIELDS, NotFound),
    "listConsents": (),
    "grantConsent": (
        Refusal(400, "not_agreed", "Say yes explicitly (agree: true).", "agree"),
        e.DocumentUnknown,
        e.DocumentForeign,
        e.NotShown,
        e.ReleaseIncomplete,
        *_SEALS,
    ),
    "listConsentDocuments": (*FIELDS, e.OwnerErased),
    "withdrawConsent": (e.ConsentMissing, *_ENDS),
    "getErasure": (),
    "eraseMe": (a.ReauthenticationRequired, *_ENDS),
    "createFaceClaim": (e.TooManyClaims, e.NotReady, e.KeysUnavailable),
    "getFaceClaim": (),
    "listRequests": (),
    "createRequest": _SEALS,
    "verifyRequest": (a.ReauthenticationRequired, d.CaseUnknown, d.CaseClosed),
    "getRequest": (d.CaseUnknown,),
    "getHoldings": (),
    "createExport": (a.ReauthenticationRequired, *_SEALS),
    "getExport": (e.ExportUnknown, e.ExportEnded),
    "downloadExport": (
        *(e.ExportUnknown, e.ExportEnded, e.ExportUsed, e.ExportNotReady),
        *_OPENS,
    ),
    "listStyles": (),
    "downloadStyleTrial": (p.UnknownTrial, p.NotPaintedYet),
    "getPromptChoices": (),
    "listReferenceSets": (),
    "createReferenceSet": (*_CONSENT, e.OwnerErased),
    "getReferenceSet": (p.UnknownReferences,),
    "deleteReferenceSet": (p.UnknownReferences, p.ReferencesInUse, *_ENDS),
    "putPhoto": (
        *PHOTO,
        *_CONSENT,
        *(p.UnknownReferences, p.UnknownSlot, p.ReferencesInUse, p.IntakeBehind),
        *_SEALS,
    ),
    "deletePhoto": (
        *(p.UnknownReferences, p.UnknownSlot, p.UnknownPhoto, p.ReferencesInUse),
        *_ENDS,
    ),
    "listJobs": FIELDS,
    "createJob": (
        *(Refusal(400, code, said, field) for code, (said, field) in _JOB.items()),
        *(p.KeyMissing, p.KeyReused),
        *_CONSENT,
        *(p.UnknownReferences, p.ReferencesInUse, p.PhotosChecking, p.NoPhotos, p.PhotosNeeded),
        *(p.UnknownStyle, p.SizeNotSupported),
        *(p.PromptRefused, p.PromptTooLong, p.WordsNotSupported, p.PromptNotSupported),
        *(p.PromptWithPhotos, p.WordsNeeded),
        *(p.RerollUnknown, p.RerollOfAnotherStyle, p.AlreadyRerolled, p.RerollNotFree),
        *(p.PortraitUnknown, p.ChangeNotSupported, p.CannotBeEnlarged, p.SourceWithPhotos),
        *(
            p.DailyAllowanceUsed,
            p.MonthlyAllowanceUsed,
            p.TooManyOpen,
            p.QueueFull,
            p.EngineDraining,
        ),
        *_OPENS,
        *_SEALS,
    ),
    "getJob": (p.NonsenseWait, *_ASKING),
    "streamJobEvents": _ASKING,
    "downloadJobArchive": (p.NothingPainted, *_OPENS),
    "cancelJob": (p.AlreadyEnded,),
    "retryItem": (p.NotFailed, p.AlreadyRetried, p.JobEnded, p.QueueFull, e.OwnerErased),
    "getAllowance": (),
    "listPortraits": FIELDS,
    "getPortrait": (),
    "updatePortrait": (e.DeadlineRefused, e.BlobGone, *_ENDS),
    "deletePortrait": _ENDS,
    "downloadPortrait": (*FIELDS, p.UnknownPortrait, p.NotInThisFormat, *_OPENS),
    "getPortraitPrompt": (p.UnknownPortrait, *_OPENS),
    "createPortraitLink": (p.UnknownPortrait, e.NotReady),
    "downloadShared": (p.UnknownLink, p.NotInThisFormat, e.NotReady, *_OPENS),
    "getPortraitReceipt": (p.ReceiptPending,),
    "reportPortrait": (p.UnknownPortrait,),
    "createProvenanceCheck": (
        *PICTURE,
        *(p.TooManyChecks, e.NotReady, e.KeysUnavailable),
    ),
    "getProvenanceCheck": (*PICTURE, p.UnknownCheck),
}


def told(source: Source) -> Refusal:
    """What a class of ours or of REST framework says when it is raised."""
    if isinstance(source, Refusal):
        return source
    if issubclass(source, e.PrivacyError):
        waits = source.status in WAITS or source.retry_after is not None
        return Refusal(source.status, source.code, source.sentence, source.field, waits)
    detail = str(source.default_detail).format(media_type="text/plain")
    waits = source.status_code in WAITS
    return Refusal(source.status_code, str(source.default_code), detail, waits=waits)
