"""The tables behind the promises. Every personal byte of the product is a Blob of this app."""

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import uuid7
from privacy import retention
from privacy.crypto import Recipient


def append_only() -> list[Any]:
    """Triggers that hold for every login, the migrator's included."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'this table is append-only';",
        ),
    ]


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
    name = models.CharField(max_length=80, unique=True)
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


class Capsule(models.Model):
    """The half of a sealed blob that stays in PostgreSQL. Deleting it is destroying the blob."""

    blob = models.OneToOneField(Blob, on_delete=models.CASCADE, primary_key=True)
    enc = models.BinaryField()

    def __str__(self) -> str:
        return f"capsule of {self.blob_id}"


class Lease(models.Model):
    """Open background work. The row exists while the work is open; `token` fences stale holders."""

    kind = models.CharField(max_length=12)
    work_id = models.UUIDField()
    owner_id = models.UUIDField()
    token = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    held_until = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(default=timezone.now)
    nudged_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "work_id"], name="lease_work")]
        indexes = [
            models.Index(fields=["kind", "ready_at"]),
            models.Index(fields=["owner_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.work_id}"


class ConsentDocument(models.Model):
    """One consent text. A change is a new version; the old one is retired, never edited."""

    class Purpose(models.TextChoices):
        """What a consent is for. There is none for training, because nothing is trained."""

        GENERATION = "portrait-generation"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.CharField(max_length=32, choices=Purpose)
    language = models.CharField(max_length=5)
    version = models.PositiveSmallIntegerField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "language", "version"], name="document_version"
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="text_is_fixed",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "purpose", "language", "version", "text", "sha256", "published_at"
                ),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.language} v{self.version}"


class Consent(models.Model):
    """The ledger: who agreed to, or took back, which text, when, by what act, from which client."""

    class Verb(models.TextChoices):
        """What the person did."""

        GRANTED = "granted"
        WITHDRAWN = "withdrawn"

    class Act(models.TextChoices):
        """How they did it."""

        TYPED_NAME = "typed-name"
        CALL = "call"
        ERASURE = "erasure"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_id = models.UUIDField()
    document = models.ForeignKey(ConsentDocument, on_delete=models.PROTECT)
    verb = models.CharField(max_length=10, choices=Verb)
    act = models.CharField(max_length=10, choices=Act)
    client = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "-at"])]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.verb} {self.document_id}"


class ConsentEvidence(models.Model):
    """The typed name of a consent, sealed to the evidence key, apart from the ledger."""

    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, primary_key=True)
    key_label = models.CharField(max_length=32)
    enc = models.BinaryField()
    body = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="no_update", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"evidence of {self.consent_id}"


class Erasure(models.Model):
    """One request to be forgotten: SHREDDED → OBJECTS → RECIPIENTS → ROWS → PROVED."""

    class Stage(models.TextChoices):
        """What has been completed so far."""

        SHREDDED = "shredded"  # the owner key and the fleet-sealed capsules are destroyed
        OBJECTS = "objects"  # no object is left under the person's prefixes
        RECIPIENTS = "recipients"  # everyone outside who had to be told has confirmed
        ROWS = "rows"  # every table of the inventory is free of the person
        PROVED = "proved"  # all of it was looked up again, and the receipt is signed

    # Random, not UUIDv7: this id is what fetches the receipt when the account is gone.
    id = models.UUIDField(primary_key=True, editable=False)
    subject_id = models.UUIDField(unique=True)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.SHREDDED)
    prefix = models.CharField(max_length=32, blank=True)
    counts = models.JSONField(default=dict)
    requested_at = models.DateTimeField()
    proved_at = models.DateTimeField(null=True)
    receipt = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"erasure {self.stage}"


class AuditEvent(models.Model):
    """What was done to whose data, by which role, when. There is no text column to leak into."""

    class Verb(models.IntegerChoices):
        """What happened. Numbers never change their meaning."""

        CONSENT_GRANTED = 1
        CONSENT_WITHDRAWN = 2
        BLOB_WRITTEN = 10
        BLOB_READ = 11
        BLOB_DESTROYED = 12
        BLOBS_EXPIRED = 13
        DEADLINE_MOVED = 14
        ERASURE_REQUESTED = 20
        ERASURE_PROVED = 21
        JOB_SUBMITTED = 30
        JOB_FAILED = 31

    class Actor(models.IntegerChoices):
        """Which process did it; WEB acts for the person who is signed in."""

        WEB = 1
        INTAKE = 2
        GPU = 3
        UPKEEP = 4
        KEEPER = 5
        OPERATOR = 6

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(default=timezone.now)
    verb = models.PositiveSmallIntegerField(choices=Verb)
    actor = models.PositiveSmallIntegerField(choices=Actor)
    subject_id = models.UUIDField(null=True)
    object_id = models.UUIDField(null=True)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["subject_id", "at"]), models.Index(fields=["at"])]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {self.at:%Y-%m-%d}"
