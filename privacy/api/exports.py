"""The export over HTTP: ask for it, look at it, fetch it once."""

import uuid
from collections.abc import AsyncIterator, Generator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from privacy import archive, export
from privacy.api.doors import AnyAnswer, require_fresh_proof
from privacy.api.pausing import ask_again
from privacy.models import Export
from privacy.serializers import ExportSerializer


class ExportMeView(APIView):
    """A copy of everything."""

    @extend_schema(operation_id="createExport", request=None, responses={202: ExportSerializer})
    def post(self, request: Request) -> Response:
        """Prepare a copy of everything that we hold on you. One at a time; it ends after a day."""
        require_fresh_proof(request)
        begun = export.request(caller(request), timezone.now())
        return ask_again(ExportSerializer(begun).data, status=status.HTTP_202_ACCEPTED)


class ExportView(APIView):
    """The progress of an export."""

    @extend_schema(operation_id="getExport", responses=ExportSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """How far it is; Retry-After while it is prepared."""
        found = export.find(caller(request), pk, timezone.now())
        told = ExportSerializer(found).data
        preparing = found.state not in (Export.State.READY, Export.State.FETCHED)
        return ask_again(told) if preparing else Response(told)


class ArchiveView(APIView):
    """The archive itself."""

    content_negotiation_class = AnyAnswer

    @extend_schema(
        operation_id="downloadExport",
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: uuid.UUID) -> StreamingHttpResponse:
        """The ZIP, once. It is opened while it is sent; a download that breaks needs a new one."""
        asked = export.fetch(caller(request), pk, timezone.now())
        pieces = archive.stream(asked, timezone.now)
        response = StreamingHttpResponse(_sent(pieces), content_type="application/zip")
        response["Content-Disposition"] = 'attachment; filename="sitter-export.zip"'
        return response


def _following(pieces: Generator[bytes, None, None]) -> bytes | None:
    return next(pieces, None)


async def _sent(pieces: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    """Each piece is made in the request's own thread, when the client has taken the last one."""
    try:
        while (piece := await sync_to_async(_following)(pieces)) is not None:
            yield piece
    finally:
        await sync_to_async(pieces.close)()
