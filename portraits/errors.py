"""Everything the product refuses, one sentence each. `deploy/http.py` maps the tree to answers."""

from privacy.errors import PrivacyError


class PortraitsError(PrivacyError):
    """The root of this room's refusals."""

    code = "refused"


class UnknownStyle(PortraitsError):
    """No such style, or it was retired."""

    code = "unknown_style"
    sentence = "There is no such style. GET /v1/styles lists those that can be painted."
    status = 422
    field = "items"

    def __init__(self, field: str) -> None:
        """`field`: which one of the body."""
        super().__init__()
        self.field = field


class UnknownSlot(PortraitsError):
    """No such slot."""

    code = "unknown_slot"
    sentence = (
        "A reference set has the slots front, three_quarter_left, three_quarter_right, half_body "
        "and full_body."
    )
    status = 404
    field = "slot"


class UnknownReferences(PortraitsError):
    """No such set, somebody else's, or gone."""

    code = "unknown_reference_set"
    sentence = "There is no such reference set; it may have expired. Make a new one."
    status = 404
    field = "reference_set"


class UnknownPhoto(PortraitsError):
    """The slot is empty."""

    code = "unknown_photo"
    sentence = "There is no photo in this slot; nothing of it is kept."
    status = 404
    field = "slot"


class UnknownPortrait(PortraitsError):
    """No such portrait, somebody else's, or gone."""

    code = "not_found"
    sentence = "There is no such portrait."
    status = 404


class UnknownLink(PortraitsError):
    """It was used, has run out, or never was."""

    code = "unknown_link"
    sentence = "This link was used already or has run out. Make a new one."
    status = 404


class NotInThisFormat(PortraitsError):
    """Accept names none of the formats that this size was painted in."""

    code = "not_in_this_format"
    sentence = "This portrait was not painted in a format that you accept; see its renditions."
    status = 406


class NothingPainted(PortraitsError):
    """No portrait of the job can be fetched."""

    code = "nothing_painted"
    sentence = "No portrait of this job is there to be fetched. Wait until one is painted."


class UnknownTrial(PortraitsError):
    """No such style in the catalogue."""

    code = "unknown_style"
    sentence = "There is no such style. GET /v1/styles lists those that there are."
    status = 404
    field = "slug"


class NotPaintedYet(PortraitsError):
    """No worker has painted this version on the drawn subject."""

    code = "not_painted_yet"
    sentence = "This style has no picture to try yet. Show its name, or ask again tomorrow."
    status = 404
    field = "slug"


class ReferencesInUse(PortraitsError):
    """The set serves an open job."""

    code = "reference_set_in_use"
    sentence = "These photos serve a job that is still open. Wait for it to end, or cancel it."
    field = "reference_set"


class NoPhotos(PortraitsError):
    """A job needs at least one accepted photo."""

    code = "no_accepted_photo"
    sentence = "Put at least one photo into the set and wait until it is accepted."
    status = 422
    field = "reference_set"


class PhotosNeeded(PortraitsError):
    """A style that paints from photos was ordered without any."""

    code = "reference_set_required"
    sentence = (
        "One of these styles paints from photos. Make a reference set, put a photo into it and "
        "send its id as reference_set."
    )
    status = 422
    field = "reference_set"


class PhotosChecking(PortraitsError):
    """A photo has not been looked at yet."""

    code = "photos_still_checking"
    sentence = "A photo is still being checked. Try again in a few seconds."
    field = "reference_set"


class EmptyUpload(PortraitsError):
    """Nothing was sent."""

    code = "empty_file"
    sentence = "The file is empty. Send the photo again."
    status = 422
    field = "photo"


class UploadTooLarge(PortraitsError):
    """More bytes than a photo may have."""

    code = "file_too_large"
    sentence = "The photo is larger than 15 MB. Send a smaller one."
    status = 413
    field = "photo"


class PhotoRefused(PortraitsError):
    """The gate has looked and said no; code and sentence are the gate's."""

    status = 422
    field = "photo"

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


class KeyMissing(PortraitsError):
    """POST /v1/jobs without Idempotency-Key."""

    code = "idempotency_key_missing"
    sentence = (
        "Send an Idempotency-Key header (any text that you make up for this job), so that a retry "
        "cannot start it twice."
    )
    status = 400
    field = "Idempotency-Key"


class KeyReused(PortraitsError):
    """The same key with another body."""

    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used for another job. Make up a new one."
    status = 422
    field = "Idempotency-Key"


class AlreadyEnded(PortraitsError):
    """The job has ended; there is nothing to cancel."""

    code = "already_ended"
    sentence = "This job has already ended."


class TooManyStreams(PortraitsError):
    """One person holds too many event streams and long polls open."""

    code = "too_many_streams"
    sentence = "Too many devices follow your jobs at once. Close one, or ask without waiting."
    status = 429
    retry_after = 10


class NonsenseWait(PortraitsError):
    """`wait` is no number of seconds that a poll may last."""

    code = "invalid_wait"
    sentence = "wait is a number of whole seconds from 0 to 30."
    status = 400
    field = "wait"


class JobEnded(PortraitsError):
    """Nothing of a job that has ended can be tried again."""

    code = "job_ended"
    sentence = "This job has ended, and its photos are gone. Order the portrait in a new job."


class AlreadyRetried(PortraitsError):
    """One more try an item, and it has had it."""

    code = "already_retried"
    sentence = "This portrait was tried once more already. Order it in a new job."


class NotFailed(PortraitsError):
    """Only what has failed can be tried again."""

    code = "not_failed"
    sentence = "Only a portrait that has failed can be tried again."


class AllowanceUsed(PortraitsError):
    """The root of the two below."""

    code = "allowance_used"
    status = 429


class DailyAllowanceUsed(AllowanceUsed):
    """More than is left for today."""

    code = "daily_allowance_used"
    sentence = (
        "This is more than what is left of today's portraits; nothing was ordered. Ask for fewer, "
        "or again after midnight UTC. GET /v1/me/allowance says how many are left."
    )


class MonthlyAllowanceUsed(AllowanceUsed):
    """More than is left for this month."""

    code = "monthly_allowance_used"
    sentence = (
        "This is more than what is left of this month's portraits; nothing was ordered. Ask for "
        "fewer, or again next month. GET /v1/me/allowance says how many are left."
    )


class TooManyOpen(PortraitsError):
    """One person has too much waiting."""

    code = "too_many_open"
    sentence = (
        "Too many of your portraits are still waiting; nothing was ordered. Let some of them "
        "finish, or cancel a job."
    )
    status = 429


class QueueFull(PortraitsError):
    """Everybody together has too much waiting."""

    code = "queue_full"
    sentence = "Too many portraits are waiting right now; nothing was ordered. Try again later."
    status = 429


class EngineDraining(PortraitsError):
    """An operator takes no orders for the engine that would paint this."""

    code = "engine_draining"
    sentence = (
        "This style takes no orders for the moment; nothing was ordered. Choose another one, or try"
        " again later."
    )
    status = 503
    field = "items"
    retry_after = 600


class IntakeBehind(PortraitsError):
    """More photos wait to be checked than will be in their time."""

    code = "intake_behind"
    sentence = "Too many photos are being checked; this one was not taken. Send it again later."
    status = 429
    retry_after = 20


class PromptRefused(PortraitsError):
    """The root of the refusals of a prompt; none repeats a word of it."""

    code = "prompt_refused"
    sentence = "These words ask for what is not painted here. Say it in other words."
    status = 422

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field


class PromptTooLong(PromptRefused):
    """More words than a prompt has room for."""

    code = "prompt_too_long"
    sentence = "The words of a prompt have at most 300 characters. Send fewer."


class WordsNotSupported(PromptRefused):
    """The engine of this style reads no text."""

    code = "words_not_supported"
    sentence = "This style reads no free text. Leave out `words`, or name a style that takes them."


class PromptNotSupported(PromptRefused):
    """The engine of this style paints from photos only."""

    code = "prompt_not_supported"
    sentence = "This style paints from photos only. GET /v1/styles says which take a prompt."


class PromptWithPhotos(PromptRefused):
    """A job is painted from photos or from prompts."""

    code = "prompt_with_photos"
    sentence = "A portrait from a prompt uses no photo. Order it in a job without reference_set."


class WordsNeeded(PromptRefused):
    """A change that words describe, without any."""

    code = "words_needed"
    sentence = "Say in words what is to be there."


class SizeNotSupported(PortraitsError):
    """The engine has no such size."""

    code = "size_not_supported"
    status = 422
    sentence = "This style is not painted in that size. GET /v1/styles says which it has."

    def __init__(self, position: int) -> None:
        super().__init__()
        self.field = f"items.{position}.size"


class ChangeRefused(PortraitsError):
    """The root of the refusals of a change of a portrait; `field` names the order."""

    code = "change_refused"
    status = 422

    def __init__(self, position: int) -> None:
        super().__init__()
        self.field = f"items.{position}.source"


class PortraitUnknown(ChangeRefused):
    """It is not there, or somebody else's."""

    code = "portrait_unknown"
    sentence = "There is no such portrait. GET /v1/portraits lists yours."


class ChangeNotSupported(ChangeRefused):
    """The engine of this style changes no portraits."""

    code = "change_not_supported"
    sentence = "This style does not change portraits. GET /v1/styles says which have `edit`."


class CannotBeEnlarged(ChangeRefused):
    """It was enlarged already, or has a shape that no engine enlarges."""

    code = "cannot_be_enlarged"
    sentence = "This portrait cannot be enlarged any further."


class SourceWithPhotos(ChangeRefused):
    """A job is painted from photos or from portraits."""

    code = "source_with_photos"
    sentence = "This is made from a portrait and uses no photo. Order it without reference_set."


class RerollRefused(PortraitsError):
    """The root of the refusals of a re-roll; `field` names the order."""

    code = "reroll_refused"

    def __init__(self, position: int) -> None:
        super().__init__()
        self.field = f"items.{position}.reroll_of"


class RerollUnknown(RerollRefused):
    """The portrait is not there, or somebody else's."""

    code = "reroll_of_unknown"
    sentence = "There is no such portrait to paint anew. Order without reroll_of."
    status = 422


class RerollOfAnotherStyle(RerollRefused):
    """A re-roll is the same once more."""

    code = "reroll_of_another_style"
    sentence = "The portrait is of another style. Name the same one, or order without reroll_of."
    status = 422


class AlreadyRerolled(RerollRefused):
    """One a portrait."""

    code = "already_rerolled"
    sentence = "This portrait was painted anew for free already. Order without reroll_of."


class RerollNotFree(RerollRefused):
    """A re-roll of a re-roll."""

    code = "reroll_not_free"
    sentence = "This portrait was free itself, so another one is not. Order without reroll_of."


class ReceiptPending(PortraitsError):
    """The job is open, or its photos are kept for another one."""

    code = "receipt_pending"
    sentence = "The receipt is signed once the job has ended and its photos are destroyed."
    retry_after = 30


class UnknownCheck(PortraitsError):
    """No such check, or it is older than two minutes."""

    code = "not_found"
    sentence = "There is no such check; nothing of one is kept after two minutes."
    status = 404


class TooManyChecks(PortraitsError):
    """Somebody hands in more pictures than we look at."""

    code = "too_many_checks"
    sentence = "Too many pictures were handed in. Try again when Retry-After has passed."
    status = 429
