"""What a provider has to be asked to revoke one day, sealed to the one role that asks."""

from django.db import models

from accounts.models import uuid7


class SignInGrant(models.Model):
    """A person's consent to Sign in with Apple, as Apple knows it."""

    class State(models.TextChoices):
        """CODE → HELD → (row deleted); CODE → (row deleted). What is sealed here."""

        CODE = "code"  # a code that the courier has to exchange within minutes
        HELD = "held"  # a token, good for nothing here but being revoked

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_id = models.UUIDField(db_index=True)
    provider = models.CharField(max_length=10)
    client = models.CharField(max_length=200)
    state = models.CharField(max_length=4, choices=State, default=State.CODE)
    # Since when the person is gone or has parted with it; the row goes once it is revoked.
    ending_at = models.DateTimeField(null=True)
    capsule = models.BinaryField()
    body = models.BinaryField()
    key_label = models.CharField(max_length=32)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"grant {self.pk}"
