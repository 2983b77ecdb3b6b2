"""allauth decides, and speaks our API's language here: its answers and refusals become ours.

The one place that knows how allauth says no. A step that is not the last one (a code that was sent
by mail, say) is no refusal: it is answered 202, with what comes next. What allauth counts by is in
Valkey; where that is away nobody signs in, because nothing would count the guesses.
"""

import json
from contextlib import suppress
from typing import Any, Final

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.constants import Client
from django.db import IntegrityError
from redis import RedisError
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import signed_in
from accounts.errors import (
    AlreadySignedIn,
    NotNow,
    NotSignedIn,
    ReauthenticationRequired,
    SessionEnded,
    SignInAway,
    TooManyAttempts,
    UnknownFactor,
)

HEADER: Final = "HTTP_X_SESSION_TOKEN"
REFUSALS: Final[dict[int, type[APIException]]] = {
    401: NotSignedIn,
    403: NotNow,
    409: NotNow,
    410: SessionEnded,
    429: TooManyAttempts,
}


def passed(request: Request, view: Any, *, fine: int = 200, **kwargs: Any) -> Response:
    """What one of allauth's views says to a request, in our words. `kwargs`: of the address.

    `fine`: a status that is no refusal here, though it is one of allauth's.
    """
    try:
        answer = _asked(request, view, kwargs)
    except RedisError as away:
        raise SignInAway from away
    except ImmediateHttpResponse as at_once:
        # Of a body that is no JSON object, and of too many attempts.
        answer = at_once.response
    said = json.loads(answer.content) if answer.content else {}
    if answer.status_code == fine:
        return Response({**said, "status": 200})
    if answer.status_code < 400:
        return Response(said, status=answer.status_code)
    if answer.status_code == 401 and _pending(said):
        return Response({**said, "status": 202}, status=202)
    raise _refusal(answer.status_code, said)


def _asked(request: Request, view: Any, kwargs: dict[str, Any]) -> Any:
    ask = view.as_api_view(client=Client.APP)
    try:
        return ask(request._request, **kwargs)
    except IntegrityError:
        # Somebody was quicker, with the same address say. Asked again, allauth sees them.
        return ask(request._request, **kwargs)


def forget_dead_token(request: Request) -> None:
    """Whoever signs in is not asked how their last session ended. Raises AlreadySignedIn."""
    token = request._request.META.get(HEADER)
    if not token:
        return
    try:
        signed_in(token)
    except SessionEnded:
        del request._request.META[HEADER]
        # Django has read it into a mapping of its own, which is made again when it is gone.
        vars(request._request).pop("headers", None)
    else:
        raise AlreadySignedIn


def refuse_signed_in(request: Request) -> None:
    """The token is needed, and must not be that of somebody who is in. Raises AlreadySignedIn."""
    with suppress(SessionEnded):
        signed_in(request._request.META.get(HEADER, ""))
        raise AlreadySignedIn


def _pending(said: dict[str, Any]) -> bool:
    return any(flow.get("is_pending") for flow in said.get("data", {}).get("flows", ()))


def _refusal(status: int, said: dict[str, Any]) -> APIException:
    if status == 401 and said.get("meta", {}).get("is_authenticated"):
        return ReauthenticationRequired()
    if status in REFUSALS:
        return REFUSALS[status]()
    if any(error["code"].startswith("too_many") for error in said.get("errors", ())):
        return TooManyAttempts()
    if any(_names_nothing(error) for error in said.get("errors", ())):
        return UnknownFactor()
    fields: dict[str, list[ErrorDetail]] = {}
    for error in said.get("errors", ()):
        told = ErrorDetail(error["message"], code=error["code"])
        fields.setdefault(error.get("param", "non_field_errors"), []).append(told)
    if not fields:
        # A body that is no JSON object has no fields that could be named.
        return ParseError("Send a JSON object.")
    return ValidationError(fields)


def _names_nothing(error: dict[str, Any]) -> bool:
    """Whether the address names a passkey or an identity that is not the person's."""
    return error.get("param") in ("authenticators", "id") or error["code"] == "account_not_found"
