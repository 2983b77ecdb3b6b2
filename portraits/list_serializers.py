"""What a list can be asked for; each field is a filter of the same name."""

from typing import Any

from rest_framework import serializers

from portraits.change_serializers import NO_SUCH
from portraits.models import Item, Job


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
