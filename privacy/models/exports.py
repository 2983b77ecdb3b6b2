"""A person's export: asked for, prepared in parts sealed to their own key, fetched once."""

from django.db import models

from accounts.models import uuid7
from privacy.models.blobs import Blob
from privacy.models.keys import OwnerKey


class Export(models.Model):
    """REQUESTED → READY → FETCHED, or the row is deleted when its time is over."""

    class State(models.TextChoices):
        """How far it is."""

        REQUESTED = "requested"  # workers re-seal what only they can open
        READY = "ready"  # all parts are there; it can be fetched once
        FETCHED = "fetched"  # the archive was handed out; its parts are destroyed

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(OwnerKey, on_delete=models.CASCADE)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["owner", "-requested_at"])]

    def __str__(self) -> str:
        return f"export {self.state}"


class ExportPart(models.Model):
    """One re-sealed thing of an export: the blob to read, and the source that it was made from."""

    class Sort(models.TextChoices):
        """Where in the archive it goes."""

        PHOTO = "photo"
        SIGNATURE = "signature"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    sort = models.CharField(max_length=10, choices=Sort)
    source_id = models.UUIDField()
    blob = models.OneToOneField(Blob, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["export", "sort", "source_id"], name="part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sort} of {self.export_id}"
