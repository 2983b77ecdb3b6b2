"""What a refused photo's owner is told: a code for the app, a sentence for them. Pure data."""

from typing import Final

# What is the matter with the file.
FILE: Final[dict[str, str]] = {
    "empty_file": "The file is empty. Choose the photo again and wait until it has been uploaded.",
    "file_too_large": "The photo is larger than 15 MB. Choose a smaller export of the same photo.",
    "not_an_image": "This file is not a picture, whatever its name says. Choose a photo.",
    "unsupported_format": (
        "This picture format is not supported. Save the photo as JPEG, PNG, WebP or HEIC."
    ),
    "truncated_image": (
        "The photo is damaged or incomplete. Upload it again or choose another one."
    ),
    "too_many_pixels": "The picture has more than 40 megapixels. Choose a smaller version of it.",
    "animated_image": "The picture is animated. Choose a still photo.",
    "too_small": (
        "The picture is too small or too narrow. Its shorter side needs 256 pixels or more, "
        "and at least a quarter of its longer side."
    ),
    "decode_timeout": "Opening the photo took too long. Save it again as a JPEG and send that.",
    "decode_failed": "The photo cannot be opened. Save it again as a JPEG and send that.",
    "upload_expired": "The photo could not be checked in time and was destroyed. Send it again.",
}

# What is the matter with what it shows.
FACE: Final[dict[str, str]] = {
    "no_face": "No face was found. Face the camera in even light, without anything covering you.",
    "several_faces": "More than one person is in the picture. Choose a photo of you alone.",
    "face_too_small": "Move closer so that your face fills more of the picture.",
    "too_blurred": "Your face is not sharp. Hold still, clean the lens and focus on your face.",
    "too_dark": "The photo is too dark. Turn towards a window or switch on a light.",
    "too_bright": "The photo is overexposed. Step out of the direct light and try again.",
    "not_a_photo": "This looks like a drawing or a print. Choose a photo from a camera.",
    "unsafe_photo": "This photo cannot be used. Choose one of your face in which you are dressed.",
    "duplicate_photo": "This photo is already in your set. Choose a different one.",
}

# What would make an accepted photo better: advice, and never a refusal.
HINTS: Final[dict[str, str]] = {
    "step_back": "Step back so that more of your body is in the picture.",
    "look_straight": "Look straight into the camera.",
    "turn_around": "Turn your head to the other side.",
    "turn_further": "Turn your head a little further.",
}


def sentence_for(code: str) -> str:
    """The sentence of a code; a code that is not on the list is a fault of ours, and is said so."""
    return {**FILE, **FACE}.get(code, "The photo cannot be used. Choose another one.")
