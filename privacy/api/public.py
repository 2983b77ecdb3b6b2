"""What anybody may read: the privacy facts and the keys that verify receipts."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from privacy import policy
from privacy.api.doors import Public
from privacy.models import ReceiptKey


class FactsView(Public):
    """The privacy facts."""

    @extend_schema(operation_id="getPrivacyFacts", responses={200: dict[str, Any]})
    def get(self, request: Request) -> Response:
        """How long we keep what, that we do not train, who can open what, how to delete it all."""
        return Response(policy.facts())


class KeysView(Public):
    """The public keys that verify receipts."""

    @extend_schema(operation_id="listReceiptKeys", responses={200: dict[str, Any]})
    def get(self, request: Request) -> Response:
        """Ed25519 public halves, hexadecimal, by label; old ones stay."""
        rows = ReceiptKey.objects.order_by("label")
        return Response({"ed25519": {row.label: bytes(row.public).hex() for row in rows}})
