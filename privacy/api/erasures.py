"""Erasure over HTTP, and its receipt."""

import uuid

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from privacy import erasure
from privacy.api.doors import Public, require_fresh_proof
from privacy.api.pausing import ask_again
from privacy.models import Erasure
from privacy.parts import Scope
from privacy.serializers import EraseMeSerializer, ErasureSerializer


class EraseMeView(APIView):
    """Erasing everything."""

    @extend_schema(
        operation_id="eraseMe", request=EraseMeSerializer, responses={202: ErasureSerializer}
    )
    def post(self, request: Request) -> Response:
        """Erase the account and everything in it, or everything that shows you.

        Keep the id: it fetches the signed receipt, without an account.
        """
        require_fresh_proof(request)
        body = EraseMeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner_id, now = caller(request), timezone.now()
        if body.validated_data["scope"] == Scope.ACCOUNT:
            begun = erasure.request(owner_id, now)
        else:
            begun = erasure.request_part(owner_id, Scope.BIOMETRIC, None, now)
        return ask_again(ErasureSerializer(begun).data, status=status.HTTP_202_ACCEPTED)


class ErasureView(Public):
    """The progress and the receipt of an erasure."""

    @extend_schema(operation_id="getErasure", responses=ErasureSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """No account is needed: the id, which only its owner was told, is the permission.

        Retry-After until it is proved.
        """
        found = Erasure.objects.filter(pk=pk).first()
        if found is None:
            raise NotFound("No erasure has this id.")
        told = ErasureSerializer(found).data
        return Response(told) if found.stage == Erasure.Stage.PROVED else ask_again(told)
