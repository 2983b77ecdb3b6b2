"""The privacy API: each view parses, makes one domain call and answers."""

import time
import uuid
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.apps import apps
from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from accounts.errors import ReauthenticationRequired
from privacy import consent, erasure, policy
from privacy.inventory import TABLES
from privacy.models import Blob, Erasure, ReceiptKey
from privacy.serializers import (
    ConsentSerializer,
    DocumentSerializer,
    ErasureSerializer,
    GrantSerializer,
    HoldingsSerializer,
    WithdrawSerializer,
)


class Public(APIView):
    """A view that anybody may call."""

    permission_classes = (AllowAny,)
    authentication_classes = ()


class FactsView(Public):
    """The privacy facts."""

    @extend_schema(operation_id="privacy_facts", responses={200: dict[str, Any]})
    def get(self, request: Request) -> Response:
        """How long we keep what, that we do not train, who can open what, how to delete it all."""
        return Response(policy.facts())


class KeysView(Public):
    """The public keys that verify receipts."""

    @extend_schema(operation_id="receipt_keys", responses={200: dict[str, Any]})
    def get(self, request: Request) -> Response:
        """Ed25519 public halves, hexadecimal, by label; old ones stay."""
        rows = ReceiptKey.objects.order_by("label")
        return Response({"ed25519": {row.label: bytes(row.public).hex() for row in rows}})


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


class HoldingsView(APIView):
    """Everything that we hold on you."""

    @extend_schema(operation_id="me_holdings", responses=HoldingsSerializer)
    def get(self, request: Request) -> Response:
        """Sealed things with their deadlines, consents, and every table that has a row of yours."""
        owner_id = caller(request)
        held = Blob.objects.filter(owner_id=owner_id).exclude(state=Blob.State.SHREDDED)
        return Response(
            HoldingsSerializer(
                {
                    "account": request.user,
                    "sealed": held.order_by("expires_at"),
                    "consents": consent.history(owner_id),
                    "tables": _tables(owner_id),
                }
            ).data
        )


class EraseMeView(APIView):
    """Erasing everything."""

    @extend_schema(operation_id="me_erasure", request=None, responses={202: ErasureSerializer})
    def post(self, request: Request) -> Response:
        """Erase the account and everything in it. Keep the id: it fetches the signed receipt."""
        _require_fresh_password(request)
        begun = erasure.request(caller(request), timezone.now())
        return Response(ErasureSerializer(begun).data, status=status.HTTP_202_ACCEPTED)


class ErasureView(Public):
    """The progress and the receipt of an erasure."""

    @extend_schema(operation_id="erasure_receipt", responses=ErasureSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """No account is needed: the id, which only its owner was told, is the permission."""
        found = Erasure.objects.filter(pk=pk).first()
        if found is None:
            raise NotFound("No erasure has this id.")
        return Response(ErasureSerializer(found).data)


def _tables(owner_id: uuid.UUID) -> list[dict[str, Any]]:
    rows = []
    for table in TABLES:
        lookup = table.owner or {"privacy.Consent": "subject_id"}.get(table.model)
        if lookup is None:
            continue
        count = apps.get_model(table.model)._default_manager.filter(**{lookup: owner_id}).count()
        if count:
            rows.append(
                {"holds": table.holds, "rows": count, "keep": table.keep, "ends": table.end.value}
            )
    return rows


def _require_fresh_password(request: Request) -> None:
    """allauth notes in the session when the person last confirmed who they are."""
    session: Any = request.auth
    confirmed = [
        record.get("at", 0)
        for record in session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
        if record.get("reauthenticated")
    ]
    if time.time() - max(confirmed, default=0) > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        raise ReauthenticationRequired
