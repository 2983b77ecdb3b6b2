"""What people say of a style, and what they see of it before they order: reports and trials."""

from django.conf import settings
from django.db import models

from accounts.models import uuid7


class Report(models.Model):
    """That an owner says something is wrong with a portrait of theirs. No words, no picture."""

    class Reason(models.TextChoices):
        """What is wrong with it."""

        INDECENT = "indecent"  # nudity or sex that nobody asked for
        DEMEANING = "demeaning"  # it mocks or degrades
        NOT_ME = "not_me"  # another person
        ALTERED = "altered"  # age, skin tone or features are not those of the photos
        BROKEN = "broken"  # something is painted wrongly
        OTHER = "other"

    class State(models.TextChoices):
        """OPEN → CLOSED."""

        OPEN = "open"  # to be looked into by `due_at`
        CLOSED = "closed"  # somebody has

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    # Named by its id, so that what is deleted since can still be counted by its style.
    portrait_id = models.UUIDField()
    style = models.ForeignKey("portraits.Style", on_delete=models.PROTECT)
    reason = models.CharField(max_length=10, choices=Reason)
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "portrait_id", "reason"], name="report_once_a_reason"
            )
        ]

    def __str__(self) -> str:
        return f"report {self.id}"


class Trial(models.Model):
    """A style version painted on a drawn subject who is nobody; anybody may see it."""

    style = models.OneToOneField("portraits.Style", primary_key=True, on_delete=models.PROTECT)
    image = models.BinaryField(max_length=200_000)
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"trial of {self.style_id}"
