"""Consent: the texts, that they were shown, what was said to them, and the sealed signature."""

import pgtrigger
from django.db import models
from django.utils import timezone

from accounts.models import Region, uuid7
from privacy.models.triggers import append_only
from privacy.retention import Term, term


class ConsentDocument(models.Model):
    """One consent text. A change is a new version; the old one is retired, never edited."""

    class Purpose(models.TextChoices):
        """What a consent is for. There is none for training, because nothing is trained."""

        GENERATION = "portrait-generation"
        KEEPING = "reference-keeping"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.CharField(max_length=32, choices=Purpose)
    region = models.CharField(max_length=8, choices=Region, default=Region.OTHER)
    language = models.CharField(max_length=5)
    version = models.PositiveSmallIntegerField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    valid_days = models.PositiveSmallIntegerField(
        default=365, help_text="How long a signature under this text holds."
    )
    published_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "region", "language", "version"], name="document_version"
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="text_is_fixed",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    *("purpose", "region", "language", "version", "text", "sha256"),
                    *("valid_days", "published_at"),
                ),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.region} {self.language} v{self.version}"


class ConsentServing(models.Model):
    """That a text was shown to somebody. Kept apart from what they then said to it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_id = models.UUIDField()
    document = models.ForeignKey(ConsentDocument, on_delete=models.PROTECT)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "document", "-at"])]

    def __str__(self) -> str:
        return f"showing of {self.document_id}"


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
    shown_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    # Of the sealed signature, so that the ledger notices when that is exchanged.
    evidence_sha256 = models.BinaryField(null=True, max_length=32)
    # Of what was sealed, salted, so that whoever was handed it can verify it without a key.
    release_sha256 = models.BinaryField(null=True, max_length=32)

    class Meta:
        # By time alone for the sealer, which looks back an hour every minute.
        indexes = [models.Index(fields=["subject_id", "-at"]), models.Index(fields=["at"])]
        triggers = append_only(term(Term.CONSENT))

    def __str__(self) -> str:
        return f"{self.verb} {self.document_id}"


class ConsentEvidence(models.Model):
    """Name and act of a signature, sealed to the evidence key, apart from the ledger."""

    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, primary_key=True)
    key_label = models.CharField(max_length=32)
    enc = models.BinaryField()
    body = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="no_update", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"evidence of {self.consent_id}"
