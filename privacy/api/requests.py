"""Requests to support over HTTP: asking, confirming that it is oneself, looking how far it is."""

import uuid

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import proof
from accounts.authentication import caller
from privacy.api.doors import Public, require_fresh_proof
from privacy.desk import cases, incoming
from privacy.desk.serializers import NewSupportRequestSerializer, SupportRequestSerializer
from privacy.models import Case


class RequestsView(APIView):
    """What the person has asked of support."""

    @extend_schema(operation_id="listRequests", responses=SupportRequestSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Everything that you have asked support for, the newest first."""
        return Response(SupportRequestSerializer(cases.of(caller(request)), many=True).data)

    @extend_schema(
        operation_id="createRequest",
        request=NewSupportRequestSerializer,
        responses={202: SupportRequestSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ask a person on our staff, where you do not want to do it yourself or cannot.

        The first answer comes within 48 hours. Confirmed who you are within the last minutes? Then
        it is `proven` at once. The same kind, asked for again while it is open, is the same
        request.
        """
        body = NewSupportRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said, now, owner_id = body.validated_data, timezone.now(), caller(request)
        incoming.admit(owner_id, now)
        asked = incoming.Asked(Case.Kind(said["kind"]), said["language"], said["words"])
        case = incoming.from_person(owner_id, asked, now, proven=proof.recently(request.auth))
        return Response(SupportRequestSerializer(case).data, status=status.HTTP_202_ACCEPTED)


class RequestProofView(APIView):
    """That it is the account's owner who asks."""

    @extend_schema(operation_id="verifyRequest", request=None, responses=SupportRequestSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Confirm that a request is yours, having just confirmed who you are; no document."""
        require_fresh_proof(request)
        return Response(SupportRequestSerializer(cases.prove(caller(request), pk)).data)


class RequestView(Public):
    """One request."""

    @extend_schema(operation_id="getRequest", responses=SupportRequestSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """No account is needed: the id, which only its sender was told, is the permission."""
        return Response(SupportRequestSerializer(cases.find(pk)).data)
