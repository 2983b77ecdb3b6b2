"""`/v1/schema`: the committed document, which tests hold to be what the code says.

It is read once a process. Making it anew for each request would take a second and more of the
processor, for whoever asks.
"""

import json
from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from deploy.contract.files import WRITTEN, read


class ContractView(SpectacularAPIView):
    """YAML, or JSON for whoever asks for it by `Accept` or `?format=json`."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The document in one language; codes, and not sentences, are what clients go by."""
        kind = request.accepted_renderer
        return HttpResponse(
            written(kind.format),
            content_type=f"{kind.media_type}; charset=utf-8",
            headers={"Content-Disposition": f'inline; filename="openapi.{kind.format}"'},
        )


@cache
def written(form: str) -> bytes:
    """The document as `yaml` or `json`."""
    return json.dumps(read(WRITTEN)).encode() if form == "json" else WRITTEN.read_bytes()
