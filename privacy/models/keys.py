"""Public and wrapped halves of keys; no private half lies in PostgreSQL in clear."""

from django.db import models
from django.utils import timezone


class OwnerKey(models.Model):
    """One person's key, and the row that every write for that person must hold."""

    owner_id = models.UUIDField(primary_key=True)
    public = models.BinaryField()
    wrapped = models.BinaryField(null=True)
    root_epoch = models.CharField(max_length=32)
    prefix = models.CharField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    destroyed_at = models.DateTimeField(null=True)
    # PostgreSQL lets a login take a row lock only if it may update some column. This one carries
    # nothing, so that workers can hold the row without being able to change it.
    fence = models.SmallIntegerField(default=0)
    # Whether the wrapped half is there, for those who may not read it.
    openable = models.GeneratedField(
        expression=models.ExpressionWrapper(
            models.Q(wrapped__isnull=False), output_field=models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    def __str__(self) -> str:
        return f"key of {self.owner_id}"


class PublishedKey(models.Model):
    """The public half of a key whose private half lies in one role's own folder."""

    label = models.CharField(primary_key=True, max_length=32)
    public = models.BinaryField()
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label


class FleetKey(PublishedKey):
    """What the web seals to for the workers; the label is the sealing day, YYYY-MM-DD."""


class EvidenceKey(PublishedKey):
    """What consent evidence is sealed to; the label is the year."""


class ReceiptKey(PublishedKey):
    """Ed25519 halves that verify receipts; the label is the year. Old ones stay."""


class GrantKey(PublishedKey):
    """What Apple's tokens are sealed to; the label is the year. The courier opens them."""


class RootEpoch(models.Model):
    """The life of one portrait root; its 32 bytes lie in the keeper's store and never here."""

    label = models.CharField(primary_key=True, max_length=32)
    # SHA-256 over a prefix and the root, so that a wrong file is refused by name at start.
    check_sha256 = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.label
