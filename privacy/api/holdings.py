"""Everything that we hold on the person who asks."""

import uuid
from typing import Any

from django.apps import apps
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from privacy import consent
from privacy.inventory import TABLES
from privacy.models import Blob
from privacy.serializers import HoldingsSerializer


class HoldingsView(APIView):
    """Everything that we hold on you."""

    @extend_schema(operation_id="getHoldings", responses=HoldingsSerializer)
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


def _tables(owner_id: uuid.UUID) -> list[dict[str, Any]]:
    rows = []
    for table in TABLES:
        if table.lookup is None:
            continue
        rows_of = apps.get_model(table.model)._default_manager
        count = rows_of.filter(**{table.lookup: owner_id}).count()
        if count:
            said = {"holds": gettext(table.holds), "keep": gettext(table.keep)}
            rows.append({**said, "rows": count, "ends": table.end.value})
    return rows
