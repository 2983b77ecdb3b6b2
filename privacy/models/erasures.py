"""Erasures of any scope, whom they must be told to, and the restore's pulse."""

from django.db import models
from django.db.models import Q


class Erasure(models.Model):
    """One request to be forgotten: SHREDDED → OBJECTS → RECIPIENTS → ROWS → PROVED."""

    class Stage(models.TextChoices):
        """What has been completed so far."""

        SHREDDED = "shredded"  # the keys or capsules are destroyed: nothing of it opens any more
        OBJECTS = "objects"  # no object, version, marker or upload of it is left
        RECIPIENTS = "recipients"  # everyone outside who had to be told was told, or is listed
        ROWS = "rows"  # every table of the inventory is free of it
        PROVED = "proved"  # all of it was looked up again, and the receipt is signed

    class Scope(models.TextChoices):
        """How much was asked for."""

        PHOTO = "photo"  # one slot of a reference set
        PORTRAIT = "portrait"  # one portrait, all its sizes
        SET = "set"  # one reference set
        BIOMETRIC = "biometric"  # every photo and portrait; consents withdrawn, the account stays
        ACCOUNT = "account"  # everything

    # Random, not UUIDv7: this id is what fetches the receipt when the account is gone.
    id = models.UUIDField(primary_key=True, editable=False)
    subject_id = models.UUIDField(db_index=True)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.ACCOUNT)
    target_id = models.UUIDField(null=True, help_text="Which photo, portrait or set.")
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.SHREDDED)
    prefix = models.CharField(max_length=32, blank=True)
    # Of a scope below the account: the objects to delete, dropped once they are proved gone.
    names = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    requested_at = models.DateTimeField()
    # When the last root or fleet key that a backup could be opened with is destroyed.
    unopenable_by = models.DateTimeField(null=True)
    proved_at = models.DateTimeField(null=True)
    receipt = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_id"], condition=Q(scope="account"), name="erasure_account_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["requested_at"], name="erasure_open", condition=~Q(stage="proved")
            ),
        ]

    def __str__(self) -> str:
        return f"erasure of a {self.scope}, {self.stage}"


class ErasureRecipient(models.Model):
    """Somebody outside who must be told of an erasure, and whether they have confirmed."""

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="recipients")
    name = models.CharField(max_length=40)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["erasure", "name"], name="recipient_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.erasure_id}"


class Pulse(models.Model):
    """One row that counts up with the erasure ledger's; when it lags, the database was restored."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    count = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"pulse {self.count}"
