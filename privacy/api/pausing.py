"""Answers about what is still being done: they say when asking again makes sense."""

from typing import Any, Final

from rest_framework import status as codes
from rest_framework.response import Response

# Checks and proofs take seconds; who asks more often than this learns nothing sooner.
PAUSE: Final = 1


def ask_again(told: Any, *, status: int = codes.HTTP_200_OK) -> Response:
    """What is known so far, with Retry-After."""
    return Response(told, status=status, headers={"Retry-After": str(PAUSE)})
