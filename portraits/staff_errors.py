"""What is refused to staff, one sentence each."""

from portraits.errors import PortraitsError


class DraftThere(PortraitsError):
    """One draft a style, so that two people do not change it side by side."""

    code = "draft_there"
    sentence = "This style has a draft already. Change that one, or throw it away first."


class NotADraft(PortraitsError):
    """What was published is fixed: portraits were painted by it."""

    code = "not_a_draft"
    sentence = "This version was published, so it stays as it is. Make a new draft of it."


class NotTried(PortraitsError):
    """Nobody has seen that an engine can paint it."""

    code = "not_tried"
    sentence = (
        "No worker has painted this draft on the drawn subject yet. Wait for its picture, or see"
        " its fault."
    )


class StillMoving(PortraitsError):
    """It got on within the last minute."""

    code = "still_moving"
    sentence = "This portrait is being painted right now. Leave it alone, or cancel its job."
