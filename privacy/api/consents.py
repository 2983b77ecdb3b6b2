"""Consent over HTTP: the texts, signing one, taking it back."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from privacy import consent
from privacy.api.doors import Public
from privacy.serializers import (
    ConsentSerializer,
    DocumentSerializer,
    GrantSerializer,
    WithdrawSerializer,
)


class DocumentsView(Public):
    """The consent texts."""

    @extend_schema(
        operation_id="consent_documents",
        parameters=[OpenApiParameter("purpose", str), OpenApiParameter("language", str)],
        responses=DocumentSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The texts that can be signed now, whole."""
        found = consent.documents(
            request.query_params.get("purpose"), request.query_params.get("language")
        )
        return Response(DocumentSerializer(found, many=True).data)


class ConsentsView(APIView):
    """The person's consent ledger."""

    @extend_schema(operation_id="consents_list", responses=ConsentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Everything that you agreed to or took back, newest first."""
        return Response(ConsentSerializer(consent.history(caller(request)), many=True).data)

    @extend_schema(
        operation_id="consents_grant", request=GrantSerializer, responses={201: ConsentSerializer}
    )
    def post(self, request: Request) -> Response:
        """Sign a consent text."""
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
        operation_id="consents_withdraw", request=WithdrawSerializer, responses=ConsentSerializer
    )
    def post(self, request: Request) -> Response:
        """Withdraw: jobs stop, reference photos go, portraits stay or go as you say."""
        body = WithdrawSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        entry = consent.withdraw(
            caller(request),
            body.validated_data["purpose"],
            body.validated_data["client"],
            timezone.now(),
            erase_portraits=body.validated_data["portraits"] == "erase",
        )
        return Response(ConsentSerializer(entry).data)
