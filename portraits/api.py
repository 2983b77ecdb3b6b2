"""The portraits API: each view parses, makes one domain call and answers."""

import logging
import uuid
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.exceptions import NotFound
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from portraits import gallery, job_rows, jobs, quota, receipts, references
from portraits.errors import KeyMissing, PhotoRefused, UploadTooLarge
from portraits.list_serializers import WhichJobsSerializer, WhichPortraitsSerializer
from portraits.models import Item, Job, Photo, Portrait, ReferenceSet
from portraits.portrait_serializers import (
    DeadlineSerializer,
    PortraitReceiptSerializer,
    PortraitSerializer,
)
from portraits.refusals import sentence_for
from portraits.serializers import (
    AllowanceSerializer,
    JobSerializer,
    NewJobSerializer,
    NewReferenceSetSerializer,
    PhotoSerializer,
    ReferenceSetSerializer,
)
from portraits.style_serializers import PromptSerializer
from privacy.api.pausing import ask_again
from privacy.plain import Plain
from privacy.serializers import ErasureSerializer

log = logging.getLogger(__name__)

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True, description="Kept for 24 h."
)
SLOT = OpenApiParameter("slot", str, OpenApiParameter.PATH, enum=Photo.Slot.values)
RAW_PHOTO = {
    media: {"type": "string", "format": "binary"}
    for media in ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif")
}


class PhotoParser(BaseParser):
    """The raw bytes of one photo. The web never looks into them."""

    media_type = "image/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Read it whole, in memory; the size is bounded before and here."""
        data = stream.read(settings.UPLOAD_MAX_BYTES + 1)
        if len(data) > settings.UPLOAD_MAX_BYTES:
            raise UploadTooLarge
        return Plain(data)


class AnyBytesParser(PhotoParser):
    """For clients that do not know what they send: the intake decides what it is."""

    media_type = "application/octet-stream"


class ReferenceSetsView(APIView):
    """The person's reference sets."""

    @extend_schema(operation_id="listReferenceSets", responses=ReferenceSetSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Living sets, newest first."""
        rows = ReferenceSet.objects.filter(
            owner_id=caller(request), expires_at__gt=timezone.now()
        ).order_by("-created_at")
        return Response(ReferenceSetSerializer(rows, many=True).data)

    @extend_schema(
        operation_id="createReferenceSet",
        request=NewReferenceSetSerializer,
        responses={201: ReferenceSetSerializer},
    )
    def post(self, request: Request) -> Response:
        """A new set with five empty slots; fill one to five."""
        body = NewReferenceSetSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        hours = body.validated_data.get("keep_hours")
        if hours is None and body.validated_data["keep"]:
            hours = 24
        made = references.create(caller(request), hours, timezone.now())
        return Response(ReferenceSetSerializer(made).data, status=status.HTTP_201_CREATED)


class ReferenceSetView(APIView):
    """One reference set."""

    @extend_schema(operation_id="getReferenceSet", responses=ReferenceSetSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The set and its photos' verdicts; Retry-After while one is still being checked."""
        found = references.find(caller(request), pk, timezone.now())
        told = ReferenceSetSerializer(found).data
        if any(photo["state"] == Photo.State.CHECKING for photo in told["photos"]):
            return ask_again(told)
        return Response(told)

    @extend_schema(operation_id="deleteReferenceSet", responses={202: ErasureSerializer})
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Destroy the set and its photos now. The erasure's id fetches the receipt."""
        begun = references.discard(caller(request), pk, timezone.now())
        return ask_again(ErasureSerializer(begun).data, status=status.HTTP_202_ACCEPTED)


class PhotoView(APIView):
    """One slot of a set."""

    parser_classes = (PhotoParser, AnyBytesParser)

    @extend_schema(
        operation_id="putPhoto",
        parameters=[SLOT],
        request=RAW_PHOTO,
        responses={200: PhotoSerializer, 202: PhotoSerializer},
    )
    def put(self, request: Request, pk: uuid.UUID, slot: str) -> Response:
        """Send a photo (JPEG, PNG, WebP or HEIC, raw in the body, at most 15 MB).

        200: accepted. 422: refused, with a code. 202: still being checked; poll the set. Sending
        it again replaces the slot, so a retry is safe.
        """
        now = timezone.now()
        upload = request.data
        if not isinstance(upload, Plain):
            # REST framework takes a body without Content-Length for an empty one.
            upload = PhotoParser().parse(request)
        photo = references.add(caller(request), pk, slot, upload, now)
        # As with jobs: the intake's line names the photo and no request.
        log.info("photo_received", extra={"work_id": str(photo.pk)})
        photo = references.verdict_of(photo, settings.UPLOAD_WAIT_SECONDS)
        if photo.state in (Photo.State.REFUSED, Photo.State.EXPIRED):
            raise PhotoRefused(photo.code, sentence_for(photo.code))
        if photo.state == Photo.State.CHECKING:
            return ask_again(PhotoSerializer(photo).data, status=status.HTTP_202_ACCEPTED)
        return Response(PhotoSerializer(photo).data)

    @extend_schema(
        operation_id="deletePhoto", parameters=[SLOT], responses={202: ErasureSerializer}
    )
    def delete(self, request: Request, pk: uuid.UUID, slot: str) -> Response:
        """Empty the slot and destroy its photo now. The erasure's id fetches the receipt."""
        begun = references.remove(caller(request), pk, slot, timezone.now())
        return ask_again(ErasureSerializer(begun).data, status=status.HTTP_202_ACCEPTED)


def _jobs(request: Request) -> Any:
    return Job.objects.filter(owner_id=caller(request)).prefetch_related(
        "items__style", "items__portrait"
    )


def _told(request: Request, pk: uuid.UUID, code: int) -> Response:
    """What became of a job by what was just done."""
    found = job_rows.read(caller(request), pk, timezone.now())
    if found is None:
        raise NotFound("There is no such job.")
    return Response(found.body(), status=code)


@extend_schema_view(get=extend_schema(operation_id="listJobs", parameters=[WhichJobsSerializer]))
class JobsView(generics.ListAPIView[Job]):
    """The person's jobs."""

    serializer_class = JobSerializer
    queryset = Job.objects.none()

    def get_queryset(self) -> Any:
        """Their own, newest first; only those that were asked for."""
        asked = WhichJobsSerializer(data=self.request.query_params.dict())
        asked.is_valid(raise_exception=True)
        return _jobs(self.request).filter(**asked.validated_data)

    @extend_schema(
        operation_id="createJob",
        parameters=[IDEMPOTENCY],
        request=NewJobSerializer,
        responses={202: JobSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ask for portraits, one by one or as a pack.

        The same Idempotency-Key and body give the same job. 429 says in Retry-After when to ask
        again; nothing was ordered or counted then.
        """
        key = request.headers.get("Idempotency-Key", "").strip()
        if not key:
            raise KeyMissing
        body = NewJobSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        set_id = body.validated_data.get("reference_set")
        job, _ = jobs.submit(caller(request), set_id, body.wanted, key, timezone.now())
        # Which request it was, this line alone says; workers' lines carry the job from here on.
        log.info("job_submitted", extra={"job_id": str(job.pk)})
        return _told(request, job.pk, status.HTTP_202_ACCEPTED)


class RetryView(APIView):
    """Trying one item again."""

    @extend_schema(operation_id="retryItem", request=None, responses={202: JobSerializer})
    def post(self, request: Request, pk: uuid.UUID, item_id: uuid.UUID) -> Response:
        """Try a failed portrait once more while its job is open. It counts no second time."""
        try:
            jobs.retry(caller(request), pk, item_id, timezone.now())
        except (Job.DoesNotExist, Item.DoesNotExist) as missing:
            raise NotFound("There is no such portrait in a job of yours.") from missing
        return _told(request, pk, status.HTTP_202_ACCEPTED)


class AllowanceView(APIView):
    """How many portraits are left."""

    @extend_schema(operation_id="getAllowance", responses=AllowanceSerializer)
    def get(self, request: Request) -> Response:
        """Today's and this month's, in UTC."""
        found = quota.shares(caller(request), timezone.now())
        return Response(AllowanceSerializer(found).data)


class CancelView(APIView):
    """Stopping a job."""

    @extend_schema(operation_id="cancelJob", request=None, responses=JobSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Stop what has not ended. Finished portraits stay, the photos go."""
        if not _jobs(request).filter(pk=pk).exists():
            raise NotFound("There is no such job.")
        jobs.cancel(caller(request), pk, timezone.now())
        return _told(request, pk, status.HTTP_200_OK)


@extend_schema_view(
    get=extend_schema(operation_id="listPortraits", parameters=[WhichPortraitsSerializer])
)
class PortraitsView(generics.ListAPIView[Portrait]):
    """The person's portraits."""

    serializer_class = PortraitSerializer
    queryset = Portrait.objects.none()

    def get_queryset(self) -> Any:
        """Those that can still be opened; only those that were asked for."""
        asked = WhichPortraitsSerializer(data=self.request.query_params.dict())
        asked.is_valid(raise_exception=True)
        found = gallery.living(caller(self.request), timezone.now())
        return found.filter(**asked.validated_data)


class PortraitView(APIView):
    """One portrait."""

    @extend_schema(operation_id="getPortrait", responses=PortraitSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Its metadata."""
        return Response(PortraitSerializer(_portrait(request, pk)).data)

    @extend_schema(
        operation_id="updatePortrait", request=DeadlineSerializer, responses=PortraitSerializer
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Keep it shorter, or longer up to twelve months."""
        body = DeadlineSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        gallery.move_deadline(
            _portrait(request, pk), body.validated_data["expires_at"], timezone.now()
        )
        return Response(PortraitSerializer(_portrait(request, pk)).data)

    @extend_schema(operation_id="deletePortrait", responses={202: ErasureSerializer})
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Destroy it now, all sizes. The erasure's id fetches the receipt."""
        begun = gallery.delete(caller(request), pk, timezone.now())
        return ask_again(ErasureSerializer(begun).data, status=status.HTTP_202_ACCEPTED)


class PromptView(APIView):
    """What a portrait was painted from, in words."""

    @extend_schema(operation_id="getPortraitPrompt", responses=PromptSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Opened for its owner, never cached. 404 where it was painted from photos."""
        prompt = gallery.open_prompt(caller(request), pk, timezone.now())
        return Response(PromptSerializer(prompt).data)


class PortraitReceiptView(APIView):
    """How it was made."""

    @extend_schema(operation_id="getPortraitReceipt", responses=PortraitReceiptSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Engine, weights, style, seed, consent text, and by when the photos were destroyed.

        Signed once its job has ended and the photos are gone; until then 409, with Retry-After.
        """
        return Response(receipts.read(_portrait(request, pk)))


def _portrait(request: Request, pk: uuid.UUID) -> Portrait:
    found = gallery.find(caller(request), pk, timezone.now())
    if found is None:
        raise NotFound("There is no such portrait.")
    return found
