"""`/v1/provenance`: was this picture made here? Open to everybody; the answer and nothing else."""

import uuid
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from portraits import checks
from portraits.api import RAW_PHOTO, AnyBytesParser, PhotoParser
from portraits.errors import PhotoRefused
from portraits.models import Check
from portraits.refusals import sentence_for
from privacy.api.doors import Public
from privacy.api.pausing import ask_again
from privacy.plain import Plain


class CheckSerializer(serializers.ModelSerializer[Check]):
    """A check and its answer."""

    class Meta:
        model = Check
        fields = ("id", "state", "made_here", "expires_at")
        extra_kwargs = {
            "made_here": {
                "help_text": "Whether our watermark was found; null while it is looked at. Not "
                "found does not mean made by a person: marks can be taken away."
            }
        }


class ChecksView(Public):
    """Asking."""

    parser_classes = (PhotoParser, AnyBytesParser)

    @extend_schema(
        operation_id="createProvenanceCheck",
        request=RAW_PHOTO,
        responses={200: CheckSerializer, 202: CheckSerializer},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Hand in a picture (JPEG, PNG, WebP or HEIC, raw in the body, at most 15 MB).

        200: the answer. 202: still being looked at; ask again by its id. 422: no picture that can
        be read. It is destroyed as soon as it was looked at, and within two minutes in any case.
        """
        now = timezone.now()
        checks.admit(get_adapter().get_client_ip(request._request), now)
        picture = request.data
        if not isinstance(picture, Plain):
            # REST framework takes a body without Content-Length for an empty one.
            picture = PhotoParser().parse(request)
        check = checks.hand_in(picture, now)
        return _answer(checks.answer_to(check, settings.UPLOAD_WAIT_SECONDS))


class CheckView(Public):
    """Asking again."""

    @extend_schema(
        operation_id="getProvenanceCheck",
        responses={200: CheckSerializer, 202: CheckSerializer},
        auth=[],
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The answer, for two minutes after the picture was handed in."""
        return _answer(checks.find(pk, timezone.now()))


def _answer(check: Check) -> Response:
    if check.state == Check.State.REFUSED:
        raise PhotoRefused(check.code, sentence_for(check.code))
    looking = check.state == Check.State.LOOKING
    said: Any = CheckSerializer(check).data
    return ask_again(said, status=status.HTTP_202_ACCEPTED) if looking else Response(said)
