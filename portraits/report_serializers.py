"""The shapes of a report and of its acknowledgement."""

from typing import Any

from rest_framework import serializers

from portraits.models import Report


class NewReportSerializer(serializers.Serializer[Any]):
    """What is wrong with a portrait."""

    reason = serializers.ChoiceField(
        Report.Reason.choices,
        error_messages={"invalid_choice": f"Choose one of {', '.join(Report.Reason.values)}."},
    )


class PortraitReportSerializer(serializers.ModelSerializer[Report]):
    """A report, acknowledged."""

    portrait = serializers.UUIDField(source="portrait_id")
    delete = serializers.SerializerMethodField()

    class Meta:
        model = Report
        fields = ("id", "portrait", "reason", "state", "created_at", "due_at", "delete")

    def get_delete(self, row: Report) -> str:
        """DELETE this address to have the portrait destroyed now; reporting alone hides nothing."""
        return f"/v1/portraits/{row.portrait_id}"
