"""Sealed bodies, the capsules that open them, and the leases of the work on them."""

from collections.abc import Collection

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import uuid7
from privacy import retention
from privacy.crypto import Recipient
from privacy.models.keys import OwnerKey


class Blob(models.Model):
    """A sealed body in the bucket: what it is, whose, and until when.

    REGISTERED → STORED → SHREDDED → (row deleted), or REGISTERED → SHREDDED.
    """

    class Kind(models.IntegerChoices):
        """Mirrors retention.Kind for the database."""

        UPLOAD = retention.Kind.UPLOAD
        REFERENCE = retention.Kind.REFERENCE
        PORTRAIT = retention.Kind.PORTRAIT
        RENDITION = retention.Kind.RENDITION
        PROMPT = retention.Kind.PROMPT
        SOURCE = retention.Kind.SOURCE
        CANARY = retention.Kind.CANARY
        EXPORT = retention.Kind.EXPORT
        CHECK = retention.Kind.CHECK

    class State(models.TextChoices):
        """Where the blob is on its way."""

        REGISTERED = "registered"  # the row and its deadline exist; a body may or may not
        STORED = "stored"  # the capsule is committed: it can be opened
        SHREDDED = "shredded"  # the capsule is gone: noise, waiting to be deleted

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(OwnerKey, on_delete=models.PROTECT, db_index=False)
    kind = models.PositiveSmallIntegerField(choices=Kind)
    recipient = models.PositiveSmallIntegerField(
        choices=[(member.value, member.name.lower()) for member in Recipient]
    )
    recipient_label = models.CharField(max_length=36)
    name = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State, default=State.REGISTERED)
    length = models.PositiveIntegerField(null=True)
    sha256 = models.BinaryField(null=True, max_length=32)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "kind"]),
            models.Index(fields=["expires_at"], name="blob_due", condition=~Q(state="shredded")),
            models.Index(fields=["id"], name="blob_shredded", condition=Q(state="shredded")),
        ]
        constraints = [
            # Of the living only: names are random, so that an entry for each row that is shredded
            # would fetch a page of the largest index, and double what a sweep costs.
            models.UniqueConstraint(
                fields=["name"], name="blob_name", condition=~Q(state="shredded")
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="blob_has_a_future"
            ),
            models.CheckConstraint(
                condition=~Q(state="stored") | Q(length__isnull=False, sha256__isnull=False),
                name="blob_stored_is_checkable",
            ),
        ]

    def __str__(self) -> str:
        return f"blob {self.id}"

    @classmethod
    def named(cls, names: Collection[str]) -> models.QuerySet["Blob"]:
        """Rows of these names: the living by the names' index, the few shredded by their own."""
        found = cls.objects.filter(name__in=names)
        dead = Q(state=cls.State.SHREDDED)
        return found.exclude(dead).union(found.filter(dead), all=True)


class Capsule(models.Model):
    """The half of a sealed blob that stays in PostgreSQL. Deleting it is destroying the blob."""

    blob = models.OneToOneField(Blob, on_delete=models.CASCADE, primary_key=True)
    enc = models.BinaryField()

    def __str__(self) -> str:
        return f"capsule of {self.blob_id}"


class Lease(models.Model):
    """Open background work. The row exists while the work is open; `token` fences stale holders.

    Work of one `queue` is taken in the order of `turn`, then of `ready_at`.
    """

    kind = models.CharField(max_length=12)
    work_id = models.UUIDField()
    owner_id = models.UUIDField()
    # What kind of worker it needs, and which of a person's lines it stands in.
    queue = models.CharField(max_length=80, default="")
    lane = models.CharField(max_length=12, default="")
    turn = models.FloatField(default=0)
    cost = models.FloatField(default=0)
    token = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Attempts that were not counted because it only waited in a process that died.
    spared = models.PositiveSmallIntegerField(db_default=0)
    held_until = models.DateTimeField(null=True)
    # When its holder last got on with it; a renewed lease alone proves only a living thread.
    progressed_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(default=timezone.now)
    nudged_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "work_id"], name="lease_work")]
        indexes = [
            models.Index(fields=["kind", "ready_at"]),
            models.Index(fields=["kind", "queue", "turn", "ready_at"], name="lease_turn"),
            models.Index(fields=["owner_id", "kind"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.work_id}"
