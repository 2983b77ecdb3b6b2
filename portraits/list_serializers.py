"""What a list or a picture can be asked for; each field is a parameter of the same name."""

from typing import Any, Final

from rest_framework import serializers

from accounts.fields import NO_SUCH
from portraits.models import Item, Job

SIZES: Final = ("full", "preview", "thumb")
NO_SIZE: Final = "There is no such size. Ask for full, preview or thumb."


class WhichJobsSerializer(serializers.Serializer[Any]):
    """Which jobs."""

    state = serializers.ChoiceField(
        Job.State.choices, required=False, help_text="Only these.", error_messages=NO_SUCH
    )


class WhichPortraitsSerializer(serializers.Serializer[Any]):
    """Which portraits."""

    job = serializers.UUIDField(
        source="item__job_id", required=False, help_text="Only those of this job of yours."
    )
    style = serializers.SlugField(  # type: ignore[assignment]
        source="item__style__slug", max_length=40, required=False, help_text="Only in this style."
    )
    expires_before = serializers.DateTimeField(
        source="blob__expires_at__lt",
        required=False,
        help_text="Only what ends before this moment: what an app may want to save or keep longer.",
    )
    task = serializers.ChoiceField(
        Item.Task.choices,
        source="item__task",
        required=False,
        help_text="Only what was made so.",
        error_messages=NO_SUCH,
    )


class WhichSizeSerializer(serializers.Serializer[Any]):
    """Which size of a picture."""

    size = serializers.ChoiceField(
        choices=SIZES, default="full", error_messages={"invalid_choice": NO_SIZE}
    )
