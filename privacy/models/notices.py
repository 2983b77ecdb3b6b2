"""What people are told by mail, and what strangers tell us about their face."""

import uuid

from django.db import models
from django.db.models import Q


class Notice(models.Model):
    """That somebody was reminded of something that ends; each reminder is sent once."""

    class Sort(models.TextChoices):
        """What is about to end."""

        PORTRAITS = "portraits"
        ACCOUNT = "account"
        ORDER = "order"  # nothing ends: a legal order was answered

    subject_id = models.UUIDField()
    sort = models.CharField(max_length=10, choices=Sort)
    # The end that it warns of, and how many days before that it was due.
    ends_at = models.DateTimeField()
    days_before = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_id", "sort", "ends_at", "days_before"], name="notice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"notice of {self.sort}"


class FaceClaim(models.Model):
    """ "This is my face": OPEN → CLOSED. What was written is sealed; the clock is not."""

    class State(models.TextChoices):
        """Whether somebody has answered."""

        OPEN = "open"
        CLOSED = "closed"

    # Random: it is the reference that the person who reported it is given.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    language = models.CharField(max_length=5)
    # Address and words, sealed to the key that the web holds for what belongs to no account.
    capsule = models.BinaryField()
    body = models.BinaryField()
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            # Nearly all are closed; whoever looks for the open ones must not read those.
            models.Index(fields=["received_at"], name="claim_open", condition=Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"face claim {self.state}"
