"""The one table of the product that is about no account: pictures handed in to be checked."""

import uuid

from django.db import models

from privacy.models import Blob


class Check(models.Model):
    """A picture that somebody handed in to ask whether it was made here. It belongs to nobody."""

    class State(models.TextChoices):
        """LOOKING → ANSWERED | REFUSED → (row deleted, two minutes after it came)."""

        LOOKING = "looking"  # sealed; the intake will look at it
        ANSWERED = "answered"  # looked at and destroyed
        REFUSED = "refused"  # no picture that can be read; destroyed as well

    # Random: whoever knows it is told the answer.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.LOOKING)
    code = models.CharField(max_length=40, blank=True)
    made_here = models.BooleanField(null=True)
    blob = models.ForeignKey(Blob, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"check {self.state}"
