"""What the daily proof saw: each role's own verdict, and the report that is published."""

from django.db import models

from accounts.models import uuid7


class Verdict(models.Model):
    """Which canaries one role could open, written by that role itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run_id = models.UUIDField(db_index=True)
    role = models.CharField(max_length=10)
    # Name of the canary → what happened: "opened", or the class of the refusal.
    outcomes = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "role"], name="verdict_once")]

    def __str__(self) -> str:
        return f"verdict of {self.role}"


class TransparencyReport(models.Model):
    """A day's proof in numbers, signed. It names nobody and is published."""

    day = models.DateField(primary_key=True)
    statement = models.JSONField()
    key_label = models.CharField(max_length=32)
    signature = models.CharField(max_length=100)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"report of {self.day:%Y-%m-%d}"
