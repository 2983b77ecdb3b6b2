"""Consent over HTTP: the texts, signing one, taking it back."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from accounts.fields import NO_SUCH
from accounts.models import Region
from privacy import consent
from privacy.models import ConsentDocument
from privacy.serializers import (
    ConsentSerializer,
    DocumentSerializer,
    GrantSerializer,
    WithdrawSerializer,
)


class WhichDocumentsSerializer(serializers.Serializer[Any]):
    """Narrows the list of texts."""

    purpose = serializers.ChoiceField(
        choices=ConsentDocument.Purpose.choices, required=False, error_messages=NO_SUCH
    )
    language = serializers.CharField(max_length=35, required=False)
    region = serializers.ChoiceField(choices=Region.choices, required=False, error_messages=NO_SUCH)


class DocumentsView(APIView):
    """The consent texts."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="listConsentDocuments",
        parameters=[
            OpenApiParameter("purpose", str, enum=ConsentDocument.Purpose.values),
            OpenApiParameter("language", str),
            OpenApiParameter("region", str, enum=Region.values),
        ],
        responses=DocumentSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The texts that can be signed now, whole.

        With a session: those of your region unless you name another, and it is noted that they
        were shown to you, which signing asks for. Without: those of every region.
        """
        which = WhichDocumentsSerializer(data=request.query_params.dict())
        which.is_valid(raise_exception=True)
        asked = which.validated_data
        person = request.user.pk if request.user else None
        own = consent.region_of(person) if person else None
        found = consent.documents(
            asked.get("purpose"), asked.get("language"), asked.get("region") or own
        )
        if person:
            consent.serve(person, found, timezone.now())
        return Response(DocumentSerializer(found, many=True).data)


class ConsentsView(APIView):
    """The person's consent ledger."""

    @extend_schema(operation_id="listConsents", responses=ConsentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Everything that you agreed to or took back, newest first."""
        return Response(ConsentSerializer(consent.history(caller(request)), many=True).data)

    @extend_schema(
        operation_id="grantConsent", request=GrantSerializer, responses={201: ConsentSerializer}
    )
    def post(self, request: Request) -> Response:
        """Sign one consent text of your region that you have been shown; each purpose has its own.

        Your typed name and your yes are your signature. It holds for `valid_days` of the text.
        """
        body = GrantSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        entry = consent.grant(
            caller(request),
            body.validated_data["document"],
            body.validated_data["typed_name"],
            body.validated_data["client"],
            timezone.now(),
        )
        return Response(ConsentSerializer(entry).data, status=status.HTTP_201_CREATED)


class WithdrawalView(APIView):
    """Taking a consent back."""

    @extend_schema(
        operation_id="withdrawConsent", request=WithdrawSerializer, responses=ConsentSerializer
    )
    def post(self, request: Request) -> Response:
        """Withdraw: jobs stop, reference photos go, portraits stay or go as you say.

        Taking back `reference-keeping` alone destroys the sets that are kept; jobs go on.
        """
        body = WithdrawSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        entry = consent.withdraw(
            caller(request),
            body.validated_data["purpose"],
            body.validated_data["client"],
            timezone.now(),
            erase_portraits=body.validated_data.get("portraits") == "erase",
        )
        return Response(ConsentSerializer(entry).data)
