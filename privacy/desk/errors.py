"""What the desk refuses, one sentence each, for the person who asks and for staff."""

from privacy.errors import PrivacyError


class CaseUnknown(PrivacyError):
    """No such request, somebody else's, or past its term."""

    code = "unknown_request"
    sentence = "There is no such request."
    status = 404


class CaseClosed(PrivacyError):
    """It was closed before; nothing more happens to it."""

    code = "request_closed"
    sentence = "This request is closed already. Ask again if something is left."


class CaseTaken(PrivacyError):
    """Two officers, one case: the one who was faster has it."""

    code = "request_taken"
    sentence = "A colleague has taken this request. Nothing of yours was saved; look at it again."


class CaseNotTaken(PrivacyError):
    """Whoever acts on it takes it first, so that nobody else acts at the same time."""

    code = "request_not_taken"
    sentence = "Take the request first; then nobody else works on it at the same time."


class IdentityOpen(PrivacyError):
    """Nobody has shown yet that the account's owner is the one who asks."""

    code = "identity_open"
    sentence = (
        "The person has not confirmed in the app that it is they who ask. "
        "Ask them to, and wait; never take a copy of a document instead."
    )


class NobodyThere(PrivacyError):
    """A request for a person who does not exist."""

    code = "nobody_there"
    sentence = (
        "No account has this address or id. Ask which address they signed up with, "
        "or leave it empty and note how to reach them."
    )
    status = 422


class RegionMissing(PrivacyError):
    """A correction without what is right."""

    code = "region_missing"
    sentence = "Choose the region that is right; it is what can be corrected here."
    status = 422


class WordsMissing(PrivacyError):
    """An answer without what was found is none."""

    code = "words_missing"
    sentence = "Write down for the person what you found, or why you refuse."
    status = 422


class ExtendedAlready(PrivacyError):
    """The law lets a date be moved once, and only before it is over."""

    code = "extended_already"
    sentence = "This date cannot be moved any more: it was moved once, or it has passed."


class MailAway(PrivacyError):
    """The mail server does not take mail right now."""

    code = "mail_away"
    sentence = "The mail server does not answer, so nothing was done. Try again in a minute."
    status = 503


class AddressRefused(PrivacyError):
    """The mail server says for good that nobody reads there, or the account is gone."""

    code = "address_refused"
    sentence = (
        "Nobody can be reached at the address of this request, so nothing was done. "
        "Close it as one whose sender cannot be reached."
    )
