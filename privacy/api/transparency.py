"""The daily proof in numbers, signed, for everybody."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from privacy.api.doors import Public
from privacy.models import TransparencyReport

SHOWN = 30


class ReportSerializer(serializers.ModelSerializer[TransparencyReport]):
    """One day: the statement, and the Ed25519 signature over its canonical JSON."""

    class Meta:
        model = TransparencyReport
        fields = ("day", "statement", "signature")


class DaySerializer(serializers.Serializer[Any]):
    """Which day."""

    day = serializers.DateField(required=False)


class TransparencyView(Public):
    """The transparency reports."""

    @extend_schema(
        operation_id="getTransparency",
        parameters=[OpenApiParameter("day", {"type": "string", "format": "date"})],
        responses=ReportSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The last 30 daily proofs, newest first, or one day's, signed by a published key."""
        asked = DaySerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        rows = TransparencyReport.objects.order_by("-day")
        if (day := asked.validated_data.get("day")) is not None:
            rows = rows.filter(day=day)
            if not rows.exists():
                raise NotFound("There is no report of this day.")
        return Response(ReportSerializer(rows[:SHOWN], many=True).data)
