"""Legal orders: about whom, by which reason, which two officers agreed, and what was told."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import uuid7


class LegalOrder(models.Model):
    """FILED → APPROVED → SEALED. PostgreSQL refuses an approval without a second person."""

    class State(models.TextChoices):
        """How far it is."""

        FILED = "filed"  # one officer asks for it
        APPROVED = "approved"  # another one agrees: the keeper may seal it, once
        SEALED = "sealed"  # the package is handed out

    class Reason(models.TextChoices):
        """By which sort of order."""

        COURT = "court", "order of a court"
        WARRANT = "warrant", "search or production warrant"
        REGULATOR = "regulator", "order of a supervisory authority"
        CLAIM = "claim", "defence against a claim of the person"

    class Telling(models.TextChoices):
        """Whether the person knows."""

        DUE = "due"  # when it is sealed, or when the order's silence ends
        TOLD = "told"
        GONE = "gone"  # there was no account any more to be told

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_id = models.UUIDField()
    # The same, once they know: what an order forbids to tell is in no copy of theirs before.
    known_to = models.UUIDField(null=True, db_index=True)
    state = models.CharField(max_length=8, choices=State, default=State.FILED)
    reason = models.CharField(max_length=10, choices=Reason)
    # Of the key that the package is sealed to, so that both officers agree to the same one.
    recipient_sha256 = models.BinaryField(max_length=32)
    first_id = models.UUIDField()
    second_id = models.UUIDField(null=True)
    # Until when the order itself forbids that the person is told.
    silent_until = models.DateTimeField(null=True)
    telling = models.CharField(max_length=4, choices=Telling, default=Telling.DUE)
    filed_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    sealed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    package_sha256 = models.BinaryField(null=True, max_length=32)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="filed", second_id=None, approved_at=None)
                | (
                    Q(second_id__isnull=False, approved_at__isnull=False)
                    & ~Q(state="filed")
                    & ~Q(second_id=F("first_id"))
                ),
                name="order_takes_two",
            ),
            models.CheckConstraint(
                condition=Q(known_to=None) & ~Q(telling="told")
                | Q(known_to=F("subject_id"), telling="told", told_at__isnull=False),
                name="order_known_once_told",
            ),
            models.CheckConstraint(
                condition=~Q(state="sealed")
                | Q(sealed_at__isnull=False, package_sha256__isnull=False),
                name="order_sealed_is_checkable",
            ),
        ]

    def __str__(self) -> str:
        return f"legal order {self.state}"
