"""ETags of what the API says in JSON: who has a version already is told so, and nothing else.

Django's own middleware, for what it can do safely: a version is the digest of an answer, so it
needs no bookkeeping and changes whenever a byte does. Pictures name their version themselves,
before anything is opened; errors and streams have none.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware

# What an answer of 304 would lose, and clients wait by.
KEPT = ("Retry-After", "Deprecation", "Sunset", "Link")


JSON = ("application/json", "application/vnd.oai.openapi")


class Versions(ConditionalGetMiddleware):
    """ETag and 304 for JSON under /v1/."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """One answer."""
        told = response.headers.get("Content-Type", "")
        fit = request.path.startswith("/v1/") and told.startswith(JSON)
        if response.status_code != 200 or not fit:
            return response
        answer: HttpResponseBase = super().process_response(request, response)
        if answer is not response:
            for name in KEPT:
                if name in response.headers:
                    answer.headers[name] = response.headers[name]
        return answer
