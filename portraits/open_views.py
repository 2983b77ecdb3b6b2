"""What anybody may see without an account, and what an owner may say about a portrait."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from portraits import halts, painters, reports, trials
from portraits.job_views import IF_NONE_MATCH
from portraits.models import Report, Style
from portraits.report_serializers import NewReportSerializer, PortraitReportSerializer
from portraits.style_serializers import PromptChoicesSerializer, StyleSerializer

# An app may keep it for a day; after that it asks whether the version has changed.
KEEP = "public, max-age=86400"


@extend_schema_view(get=extend_schema(operation_id="listStyles"))
class StylesView(generics.ListAPIView[Style]):
    """The catalogue."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    serializer_class = StyleSerializer
    queryset = Style.current()
    pagination_class = None

    def get_serializer_context(self) -> dict[str, Any]:
        """The engines that are running, read once a request."""
        # Nobody asks while the contract is written, and no database need be there.
        if hasattr(self, "swagger_fake_view"):
            return {**super().get_serializer_context(), "engines": set(), "halts": {}}
        running = {"engines": painters.alive(timezone.now()), "halts": halts.all_halts()}
        return {**super().get_serializer_context(), **running}


class PromptChoicesView(APIView):
    """What a prompt can choose from, so that an app can draw its form."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    @extend_schema(operation_id="getPromptChoices", responses=PromptChoicesSerializer)
    def get(self, request: Request) -> Response:
        """The lists, and how long words of one's own may be."""
        return Response(PromptChoicesSerializer(PromptChoicesSerializer.lists()).data)


class TrialView(APIView):
    """A style on a drawn subject who is nobody."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    @extend_schema(
        operation_id="downloadStyleTrial",
        parameters=[IF_NONE_MATCH],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, 304: None},
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """A picture by which to try the style: no account, no photo and no consent is needed.

        404 with the code `not_painted_yet` where no worker has painted this version so far.
        """
        found = trials.find(slug)
        etag = quote_etag(found.sha256)
        unchanged: HttpResponse | None = get_conditional_response(request._request, etag=etag)
        response = unchanged or HttpResponse(found.data, content_type="image/jpeg")
        response["ETag"] = etag
        response["Cache-Control"] = KEEP
        return response


class ReportView(APIView):
    """Something is wrong with a portrait."""

    @extend_schema(
        operation_id="reportPortrait",
        request=NewReportSerializer,
        responses={202: PortraitReportSerializer},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Say what is wrong, by a reason from the list; it is looked into by `due_at`.

        The same reason again is the same report. The portrait stays until its owner deletes it.
        """
        body = NewReportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        reason = Report.Reason(body.validated_data["reason"])
        report = reports.receive(caller(request), pk, reason, timezone.now())
        return Response(PortraitReportSerializer(report).data, status=status.HTTP_202_ACCEPTED)
