"""Poll, submit and download, straight from the tutorial."""

import os
import secrets
from datetime import timedelta
from functools import partial
from typing import Any

from celery import Celery
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import FileResponse
from django.urls import path
from django.utils import timezone
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from tests.bench.stock.models import Item, Job, ReferenceSet, Style

worker = Celery(broker=os.environ["SITTER_BROKER_URL"])
worker.conf.task_ignore_result = True


class ItemSerializer(serializers.ModelSerializer[Item]):
    """One portrait."""

    style: Any = serializers.SlugRelatedField(slug_field="slug", queryset=Style.objects.all())
    portrait: Any = serializers.PrimaryKeyRelatedField(read_only=True)

    class Meta:
        model = Item
        fields = ("id", "style", "seed", "state", "phase", "percent", "code", "portrait")
        read_only_fields = ("id", "seed", "state", "phase", "percent", "code")


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job with its portraits."""

    items = ItemSerializer(many=True)
    reference_set = serializers.PrimaryKeyRelatedField(
        source="references", queryset=ReferenceSet.objects.all()
    )
    percent = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            *("id", "state", "sequence", "percent", "lane", "counts", "reference_set", "items"),
            *("created_at", "ended_at", "start_by"),
        )
        read_only_fields = ("id", "state", "lane", "sequence", "created_at", "ended_at", "start_by")

    def get_percent(self, job: Job) -> int:
        """The mean."""
        items = job.items.all()
        return int(sum(item.percent for item in items) // max(1, len(items)))

    def get_counts(self, job: Job) -> dict[str, int]:
        """Items by state."""
        found: dict[str, int] = {}
        for item in job.items.all():
            found[item.state] = found.get(item.state, 0) + 1
        return found

    def create(self, validated_data: dict[str, Any]) -> Job:
        """The rows and a task for each portrait, once they are committed."""
        now = timezone.now()
        with transaction.atomic():
            job: Job = Job.objects.create(
                owner=self.context["request"].user,
                references=validated_data["references"],
                created_at=now,
                start_by=now + timedelta(hours=6),
            )
            for position, item in enumerate(validated_data["items"]):
                made = Item.objects.create(
                    job=job, style=item["style"], position=position, seed=secrets.randbits(31)
                )
                transaction.on_commit(partial(_send, made))
        return job


def _send(item: Item) -> None:
    worker.send_task("stock.paint", [str(item.id)], queue="stock")


class JobView(generics.RetrieveAPIView[Job]):
    """One job."""

    serializer_class = JobSerializer

    def get_queryset(self) -> Any:
        """The person's own."""
        mine = Job.objects.filter(owner=self.request.user)
        return mine.prefetch_related("items__style", "items__portrait")


class JobsView(generics.CreateAPIView[Job]):
    """A new job."""

    serializer_class = JobSerializer


class ImageView(APIView):
    """A picture that lies in the bucket as it is."""

    def get(self, request: Request, name: str) -> FileResponse:
        """As Django's documentation serves files."""
        return FileResponse(default_storage.open(name), content_type="image/jpeg")


urlpatterns = [
    path("v1/jobs", JobsView.as_view()),
    path("v1/jobs/<uuid:pk>", JobView.as_view()),
    path("v1/images/<str:name>", ImageView.as_view()),
]
