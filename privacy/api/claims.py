""" "This is my face" over HTTP: reporting it, and asking how far the answer is."""

import uuid

from allauth.account.adapter import get_adapter
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from privacy import claims
from privacy.api.doors import Public
from privacy.serializers import FaceClaimSerializer, NewFaceClaimSerializer


class FaceClaimsView(Public):
    """Reports of a face that was used without consent."""

    @extend_schema(
        operation_id="createFaceClaim",
        request=NewFaceClaimSerializer,
        responses={202: FaceClaimSerializer},
    )
    def post(self, request: Request) -> Response:
        """Tell us that your face was used without your consent; no account and no photo is needed.

        What you write is sealed on arrival. You are answered by `due_at`; keep the id.
        """
        body = NewFaceClaimSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        claims.admit(get_adapter().get_client_ip(request._request), now)
        claim = claims.receive(now=now, **body.validated_data)
        return Response(FaceClaimSerializer(claim).data, status=status.HTTP_202_ACCEPTED)


class FaceClaimView(Public):
    """One report."""

    @extend_schema(operation_id="getFaceClaim", responses=FaceClaimSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Whether it is answered, and by when it will be; nothing that was written."""
        claim = claims.find(pk, timezone.now())
        if claim is None:
            raise NotFound("No report has this id.")
        return Response(FaceClaimSerializer(claim).data)
