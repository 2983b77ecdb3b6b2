"""Handing pictures over: one by one, by a link for the share sheet, all of a job as one file.

A rendition leaves in the format that it was painted in or not at all: making another one would
break its signature. Its seal is verified before the first byte of an answer.
"""

import io
import uuid
import zipfile
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from portraits import gallery, links
from portraits.asking import AskingView, look, read, token_of
from portraits.errors import NothingPainted, NotInThisFormat, UnknownPortrait
from portraits.formats import ENDINGS, MEDIA_TYPES
from portraits.job_views import IF_NONE_MATCH, NOT_MODIFIED
from portraits.list_serializers import SIZES, WhichSizeSerializer
from portraits.models import Rendition
from privacy.api.doors import AnyAnswer, Public
from privacy.errors import BlobGone
from privacy.plain import Plain


def _may_have(request: Request, rendition: Rendition) -> None:
    """Raises NotInThisFormat where Accept names other formats only."""
    if not request._request.accepts(rendition.media_type):
        raise NotInThisFormat


def _picture(rendition: Rendition, plain: Plain, name: str) -> HttpResponse:
    response = HttpResponse(plain.reveal(), content_type=rendition.media_type)
    ending = ENDINGS.get(rendition.media_type, "bin")
    response["Content-Disposition"] = f'inline; filename="{name}.{ending}"'
    response["Vary"] = "Accept"
    return response


class ImageView(APIView):
    """The picture itself."""

    content_negotiation_class = AnyAnswer

    @extend_schema(
        operation_id="downloadPortrait",
        parameters=[OpenApiParameter("size", str, enum=SIZES), IF_NONE_MATCH],
        responses={
            **{(200, media): OpenApiTypes.BINARY for media in MEDIA_TYPES},
            304: NOT_MODIFIED,
        },
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """Opened for its owner, never cached. 304 opens nothing."""
        asked = WhichSizeSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        size = asked.validated_data["size"]
        rendition = gallery.size_of(caller(request), pk, size, timezone.now())
        _may_have(request, rendition)
        # A rendition never changes, so its body's name is its version.
        etag = quote_etag(rendition.blob_id.hex)
        response: HttpResponse | None = get_conditional_response(request._request, etag=etag)
        if response is None:
            plain = gallery.open_size(rendition, timezone.now())
            response = _picture(rendition, plain, f"portrait-{size}")
        response["ETag"] = etag
        return response


class NewLinkSerializer(WhichSizeSerializer):
    """Which picture."""


class LinkSerializer(serializers.Serializer[Any]):
    """A link that opens one picture once."""

    url = serializers.CharField(help_text="Without a host; it needs no session.")
    expires_at = serializers.DateTimeField()


class LinkView(APIView):
    """Lending one picture."""

    @extend_schema(
        operation_id="createPortraitLink",
        request=NewLinkSerializer,
        responses={201: LinkSerializer},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """A link for the system's share sheet: it opens the picture once, within a minute.

        Whoever has it sees the picture, so hand it to the system and to nobody else.
        """
        body = NewLinkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        token = links.lend(caller(request), pk, body.validated_data["size"], now)
        lent = {"url": f"/v1/shared/{token}", "expires_at": now + links.LASTS}
        return Response(LinkSerializer(lent).data, status=status.HTTP_201_CREATED)


class SharedView(Public):
    """Redeeming a link."""

    content_negotiation_class = AnyAnswer
    # What looks at a link without fetching it must not use it up.
    http_method_names = ("get", "options")

    @extend_schema(
        operation_id="downloadShared",
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH)],
        responses={(200, media): OpenApiTypes.BINARY for media in MEDIA_TYPES},
    )
    def get(self, request: Request, token: str) -> HttpResponse:
        """The picture, to whoever comes first. 406 uses the link up no more than a look does."""
        rendition, plain = links.redeem(token, timezone.now(), may=partial(_may_have, request))
        return _picture(rendition, plain, "portrait")


class ArchiveView(AskingView):
    """All portraits of a job."""

    @extend_schema(
        operation_id="downloadJobArchive", responses={(200, "application/zip"): OpenApiTypes.BINARY}
    )
    async def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
        """A ZIP of those that are painted and not deleted, in full size.

        One portrait at a time is opened and sent. 409 `nothing_painted` while there is none.
        """
        owner_id, _ = await read(look, token_of(request), pk)
        painted = await read(gallery.of_job, owner_id, pk, timezone.now())
        if not painted:
            raise NothingPainted
        response = StreamingHttpResponse(_zip(owner_id, painted), content_type="application/zip")
        response["Content-Disposition"] = 'attachment; filename="portraits.zip"'
        return response


async def _zip(
    owner_id: uuid.UUID, painted: Sequence[tuple[uuid.UUID, str]]
) -> AsyncIterator[bytes]:
    """Pictures do not shrink any further, so they are stored as they are."""
    sent = _Sent()
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_STORED) as archive:
        for position, (portrait_id, style) in enumerate(painted, 1):
            now = timezone.now()
            try:
                rendition, plain = await read(gallery.open_own, owner_id, portrait_id, "full", now)
            except (UnknownPortrait, BlobGone):
                # Deleted since it was listed; the others are still theirs.
                continue
            ending = ENDINGS.get(rendition.media_type, "bin")
            archive.writestr(f"{position:03}-{style}.{ending}", plain.reveal())
            yield sent.take()
    yield sent.take()


class _Sent(io.RawIOBase):
    """A file that is only written: what was written is taken away to be sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken
