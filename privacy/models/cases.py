"""What people ask of support, and what was written about it. Clocks in clear, words sealed."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Region, uuid7


class Case(models.Model):
    """One request of one person: OPEN → CLOSED. Whoever has taken it acts on it, nobody else."""

    class Kind(models.TextChoices):
        """What is asked for."""

        ACCESS = "access", "a copy of everything"
        DELETION = "deletion", "deletion"
        CORRECTION = "correction", "correction"
        OBJECTION = "objection", "objection: stop processing"
        FACE = "face", "this is my face"
        ABUSE = "abuse", "abuse"

    class Source(models.TextChoices):
        """How it came in."""

        API = "api", "by the app"
        STAFF = "staff", "by mail or letter, noted by staff"

    class State(models.TextChoices):
        """Whether it is done with."""

        OPEN = "open"
        CLOSED = "closed"

    class Identity(models.TextChoices):
        """Whether the account's owner has shown that it is they who ask. Never by a document."""

        NONE = "none", "not asked yet"
        ASKED = "asked", "asked to confirm in the app"
        PROVEN = "proven", "proven by a fresh sign-in"

    class Outcome(models.TextChoices):
        """How it was closed."""

        DONE = "done", "done"
        NOTHING = "nothing", "nothing is held"
        REFUSED = "refused", "refused, with the reason"
        TAKEN_BACK = "taken_back", "taken back by the person"
        UNREACHABLE = "unreachable", "nobody reads at the address"

    class Receipt(models.TextChoices):
        """What the receipt's id is the id of."""

        EXPORT = "export"
        ERASURE = "erasure"
        WITHDRAWAL = "withdrawal"

    # Random: whoever is told it may ask how far the request is.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    source = models.CharField(max_length=5, choices=Source)
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    identity = models.CharField(max_length=6, choices=Identity, default=Identity.NONE)
    outcome = models.CharField(max_length=11, choices=Outcome, blank=True)
    subject_id = models.UUIDField(null=True, db_index=True)
    region = models.CharField(max_length=8, choices=Region, default=Region.OTHER)
    language = models.CharField(max_length=5)
    # The first one of the same person and kind that is open; this one goes where that one goes.
    lead = models.ForeignKey(
        "self", null=True, on_delete=models.CASCADE, related_name="duplicates", db_index=True
    )
    # By which duplicates without an account are known: a keyed hash of the address, while open.
    sender = models.BinaryField(null=True, max_length=32)
    claim_id = models.UUIDField(null=True, unique=True)
    officer_id = models.UUIDField(null=True)
    taken_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    first_due_at = models.DateTimeField()
    due_at = models.DateTimeField()
    extended_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    receipt = models.CharField(max_length=10, choices=Receipt, blank=True)
    receipt_id = models.UUIDField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["state", "due_at"]
        verbose_name = "request"
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(state="open", closed_at=None, outcome="")
                    | (Q(state="closed", closed_at__isnull=False, sender=None) & ~Q(outcome=""))
                ),
                name="case_closed_says_how",
            ),
            models.CheckConstraint(
                condition=Q(officer_id=None, taken_at=None)
                | Q(officer_id__isnull=False, taken_at__isnull=False),
                name="case_taken_says_when",
            ),
            models.CheckConstraint(
                condition=Q(receipt="", receipt_id=None)
                | (~Q(receipt="") & Q(receipt_id__isnull=False)),
                name="case_receipt_is_whole",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="case_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        # The admin's log keeps this text.
        return f"{self.kind} request {str(self.pk)[:8]}"


class CaseEntry(models.Model):
    """What was written on a case, sealed: to its person, or to the key of what has no account."""

    class Sort(models.TextChoices):
        """Who wrote, and for whom."""

        ASKED = "asked", "what was asked"
        NOTE = "note", "note of staff"
        ANSWER = "answer", "answer"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="entries")
    sort = models.CharField(max_length=6, choices=Sort)
    # Which template an answer was written by.
    template = models.CharField(max_length=20, blank=True)
    author_id = models.UUIDField(null=True)
    capsule = models.BinaryField()
    body = models.BinaryField()
    at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.sort} of {self.case_id}"
