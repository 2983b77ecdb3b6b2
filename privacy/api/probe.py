"""The web's door for the daily proof. It is no part of the public API and answers nothing."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from privacy import probes
from privacy.api.doors import Public


class ProbeView(Public):
    """Upkeep asks the web to try the canaries."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """A signed statement, a minute old at the most, once a run."""
        probes.answer(request.data, timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
