"""One error shape, once; a request id; and headers that keep private answers out of caches."""

import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.translation import get_language_from_request, gettext
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework.exceptions import APIException, NotAuthenticated, ParseError, ValidationError
from rest_framework.fields import IntegerField
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from deploy.retiring import announce
from privacy.errors import PrivacyError

log = structlog.get_logger(__name__)
RETRY_SECONDS = 5
ROWS = IntegerField(min_value=1)

CSP = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# The admin's own pages need more (Unfold evaluates Alpine expressions); nothing else gets it.
ADMIN_CSP = CSP.replace("script-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'")

Next = Callable[[HttpRequest], HttpResponse]


class Page(CursorPagination):
    """Newest first, by an opaque cursor that survives inserts."""

    ordering = "-created_at"
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int | None:
        """More than the largest page is the largest page; what is no number of rows is refused."""
        name = "page_size"
        if (asked := request.query_params.get(name)) is not None:
            try:
                ROWS.run_validation(asked)
            except ValidationError as refused:
                raise ValidationError({name: refused.detail}) from None
        return super().get_page_size(request)


class DomainProblem(APIException):
    """A refusal of one of our rooms, on its way to the client."""

    def __init__(self, refusal: PrivacyError) -> None:
        super().__init__(detail=str(refusal), code=refusal.code)
        self.status_code = refusal.status
        self.field = refusal.field
        if self.status_code == 503 or refusal.retry_after:
            self.wait = refusal.retry_after or RETRY_SECONDS


class DatabaseDown(APIException):
    """PostgreSQL does not answer: nothing was lost, and the client may try again."""

    status_code = 503
    default_code = "database_unavailable"
    default_detail = "The service is busy or restarting. Nothing was lost; try again in a moment."
    wait = RETRY_SECONDS


class BodyTooLarge(APIException):
    """More bytes than any request may have."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "The request is too large."


class Formatter(ExceptionFormatter):
    """Adds the field to refusals of ours, where the library knows only validation errors.

    Each sentence is said in the person's language, as far as deploy/locale knows it.
    """

    def get_errors(self) -> list[Any]:
        """The library's list, with `attr` filled in."""
        errors = super().get_errors()
        request: Any = self.context["request"]
        with translation.override(get_language_from_request(request)):
            for error in errors:
                error.detail = gettext(error.detail)
        if isinstance(self.exc, DomainProblem):
            for error in errors:
                error.attr = self.exc.field
        return errors


class Handler(ExceptionHandler):
    """Every error of the API leaves through here."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Our refusals, and faults of what we stand on, as answers of the API."""
        if isinstance(exc, PrivacyError):
            return DomainProblem(exc)
        if isinstance(exc, OperationalError | InterfaceError):
            return DatabaseDown()
        if isinstance(exc, RequestDataTooBig):
            return BodyTooLarge()
        if isinstance(exc, RecursionError):
            return ParseError("The body is nested too deeply.")
        if isinstance(exc, NotAuthenticated):
            told = NotAuthenticated("Sign in first, and send your token as X-Session-Token.")
            # How to sign in goes with every 401 (RFC 9110, 11.6.1).
            vars(told).update(auth_header=getattr(exc, "auth_header", None))
            return told
        return super().convert_known_exceptions(exc)

    def format_exception(self, exc: APIException) -> Any:
        """The one error shape."""
        return Formatter(exc, self.context, self.exc).run()

    def report_exception(self, exc: APIException, response: Response) -> None:
        """A 5xx is logged by its class alone: a traceback's text may quote what it handled."""
        if exc.status_code >= 500:
            log.error("request_failed", error=type(self.exc).__name__, status=exc.status_code)


def exception_handler(exc: Exception, context: Any) -> Response | None:
    """Named by the settings of REST framework."""
    return Handler(exc, context).run()


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 outside of any view, in the same shape."""
    return plain_error(404, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500 outside of REST framework, in the same shape; 503 where only the database was away."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        answer = plain_error(503, DatabaseDown.default_code, DatabaseDown.default_detail)
        answer["Retry-After"] = str(RETRY_SECONDS)
        return answer
    return plain_error(500, "error", "Something went wrong on our side. Try again in a moment.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 outside of REST framework, in the same shape."""
    return plain_error(400, "bad_request", "The request could not be understood.")


def plain_error(status: int, code: str, sentence: str) -> HttpResponse:
    """The one error shape, where no view of REST framework answers."""
    kind = "server_error" if status >= 500 else "client_error"
    errors = [{"code": code, "detail": gettext(sentence), "attr": None}]
    return JsonResponse({"type": kind, "errors": errors}, status=status)


def log_request(request: HttpRequest, response: HttpResponseBase, started: float) -> None:
    """One line a request, once its answer begins."""
    match = request.resolver_match
    log.info(
        "request",
        method=request.method,
        # The pattern, not the path: a path may hold an id that fetches something.
        route=match.route if match else "unknown",
        status=response.status_code,
        seconds=round(time.monotonic() - started, 3),
    )


class RequestId:
    """Binds a random id to the logs of a request and returns it; never the client's own."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        request_id = uuid.uuid4().hex
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            log_request(request, response, started)
        response["X-Request-Id"] = request_id
        return response


def keep_private(request: HttpRequest, response: HttpResponseBase) -> None:
    """`no-store` unless a file or a view is public by its own word, and a strict content policy."""
    public = response.get("Cache-Control", "").startswith("public")
    if not (public or request.path.startswith("/static/")):
        response["Cache-Control"] = "no-store"
    admin = request.path.startswith("/admin/")
    response.setdefault("Content-Security-Policy", ADMIN_CSP if admin else CSP)
    if admin:
        # Its forms are proved to come from here by their Origin, which a browser that may send no
        # referrer replaces by "null".
        response.setdefault("Referrer-Policy", "same-origin")


class PrivateResponses:
    """Keeps every answer out of caches."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        response = self.get_response(request)
        keep_private(request, response)
        announce(request, response)
        return response
