"""The shop window: styles and their versions, the engines that run, and those that are stopped."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import uuid7


class Style(models.Model):
    """One version of one style: DRAFT → CURRENT → RETIRED. A change is a new version.

    A draft has not been published and can be thrown away; what was published is retired, never
    deleted, because portraits point at the version that they were painted by.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=40)
    version = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200)
    engine = models.CharField(max_length=80)
    recipe = models.JSONField()
    preview = models.CharField(max_length=120, blank=True, help_text="Static preview picture.")
    fault = models.CharField(
        max_length=40, blank=True, help_text="Why it could not be painted on the drawn subject."
    )
    position = models.PositiveSmallIntegerField(default=0)
    published_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "version"], name="style_version"),
            models.UniqueConstraint(
                fields=["slug"],
                condition=Q(retired_at=None, published_at__isnull=False),
                name="style_one_current",
            ),
            models.UniqueConstraint(
                fields=["slug"], condition=Q(published_at=None), name="style_one_draft"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} v{self.version}"

    @classmethod
    def current(cls) -> "models.QuerySet[Style]":
        """What people can order."""
        return Style.objects.filter(retired_at=None, published_at__isnull=False)


class Painter(models.Model):
    """A gpu worker that is alive and an engine that it serves. Old rows mean nothing."""

    class State(models.TextChoices):
        """LOADING → READY → DRAINING → (row deleted); LOADING | READY → UNFIT."""

        LOADING = "loading"  # weights are being read
        READY = "ready"  # it has painted its first picture, of nobody, and takes work
        DRAINING = "draining"  # it finishes what it has begun and takes no more
        UNFIT = "unfit"  # its picture of nobody failed, or a render hangs; it takes no work

    holder = models.CharField(max_length=80)
    engine = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State, default=State.READY)
    # What it holds in memory now; the others it would have to load first.
    loaded = models.BooleanField(default=True)
    # Units of cost a second, smoothed over its last renders; none before the first.
    rate = models.FloatField(null=True)
    # How long it takes to load another engine, smoothed over its last swaps; none before the first.
    swap_seconds = models.FloatField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holder", "engine"], name="painter_engine")]

    def __str__(self) -> str:
        return f"{self.engine} at {self.holder}"


class Halt(models.Model):
    """An engine that an operator has stopped. Without a row it runs."""

    class Kind(models.TextChoices):
        """(no row) ⇄ PAUSED | DRAINING."""

        PAUSED = "paused"  # orders are taken and wait; nothing new is begun
        DRAINING = "draining"  # no orders are taken; what waits is painted

    engine = models.CharField(primary_key=True, max_length=80)
    kind = models.CharField(max_length=8, choices=Kind)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.engine} is {self.kind}"
