"""The product's tables. No picture lies here: every picture is one of privacy's blobs."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from accounts.models import uuid7
from portraits.formats import Format
from portraits.handed_in import Check as Check
from portraits.judged import Report as Report
from portraits.judged import Trial as Trial
from portraits.recipes import Recipe
from portraits.shop import Halt as Halt
from portraits.shop import Painter as Painter
from portraits.shop import Style as Style
from privacy.models import Blob


class ReferenceSet(models.Model):
    """Up to five photos of one person that serve one open job at a time."""

    class State(models.TextChoices):
        """OPEN ⇄ IN_USE → (row deleted); OPEN → (row deleted)."""

        OPEN = "open"  # photos can be put in, a job may take it
        IN_USE = "in_use"  # an open job reads it; photos are fixed

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    keep = models.BooleanField(help_text="Kept for further jobs until expires_at.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"references {self.id}"


class Photo(models.Model):
    """One slot of a set. Putting a new photo into a slot replaces the row."""

    class Slot(models.TextChoices):
        """What the photo should show."""

        FRONT = "front"
        THREE_QUARTER_LEFT = "three_quarter_left"
        THREE_QUARTER_RIGHT = "three_quarter_right"
        HALF_BODY = "half_body"
        FULL_BODY = "full_body"

    class State(models.TextChoices):
        """CHECKING → ACCEPTED | REFUSED | EXPIRED."""

        CHECKING = "checking"  # sealed as an upload; the intake will look at it
        ACCEPTED = "accepted"  # cleaned, checked and sealed again as a reference
        REFUSED = "refused"  # not fit; `code` says why; nothing of it is left
        EXPIRED = "expired"  # not looked at in time; nothing of it is left

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    set = models.ForeignKey(ReferenceSet, on_delete=models.CASCADE, related_name="photos")
    slot = models.CharField(max_length=20, choices=Slot)
    state = models.CharField(max_length=8, choices=State, default=State.CHECKING)
    code = models.CharField(max_length=40, blank=True)
    hint = models.CharField(max_length=120, blank=True)
    quality = models.FloatField(null=True)
    # The face's box in the cleaned photo (left, top, width, height; 0 to 1), so that the painter
    # can frame it. It says where, not who.
    face = models.JSONField(null=True)
    upload = models.ForeignKey(Blob, null=True, on_delete=models.SET_NULL, related_name="+")
    reference = models.ForeignKey(Blob, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["set", "slot"], name="photo_slot")]

    def __str__(self) -> str:
        return f"photo {self.id}"


class Job(models.Model):
    """What a person asked for: a list of items, from one reference set."""

    class State(models.TextChoices):
        """QUEUED → RUNNING → DONE | FAILED | BLOCKED | CANCELLED; QUEUED → EXPIRED | CANCELLED."""

        QUEUED = "queued"  # no item has been taken yet
        RUNNING = "running"  # at least one item has been taken
        DONE = "done"  # all items have ended and at least one portrait exists
        FAILED = "failed"  # all items have ended, none with a portrait
        BLOCKED = "blocked"  # every result was held back by a safety gate
        CANCELLED = "cancelled"  # stopped by its owner, a withdrawal or an erasure
        EXPIRED = "expired"  # never started in time

    class Lane(models.TextChoices):
        """How it waits."""

        INTERACTIVE = "interactive"  # a few portraits that somebody is waiting for
        PACK = "pack"  # many at once, which take a smaller share while others wait

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    references = models.ForeignKey(
        ReferenceSet, null=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    consent_id = models.UUIDField(
        null=True, help_text="The consent that it was asked for under; none where no photo is used."
    )
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    lane = models.CharField(max_length=12, choices=Lane, default=Lane.INTERACTIVE)
    # Grows with every change that a client can see, so that a late answer rewinds nothing.
    sequence = models.PositiveBigIntegerField(default=0)
    # The hash of the client's key, so that nothing that a client put into it is kept.
    key_sha256 = models.BinaryField(null=True, max_length=32)
    body_sha256 = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    start_by = models.DateTimeField()
    # Whatever of it is open by then ends without a portrait.
    end_by = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    OPEN = (State.QUEUED, State.RUNNING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key_sha256"], name="job_once")]
        indexes = [
            models.Index(fields=["owner", "-created_at"]),
            models.Index(
                fields=["start_by"], name="job_open", condition=Q(state__in=["queued", "running"])
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.id}"


class Item(models.Model):
    """One portrait to paint. Claim, lease and attempts are the item's own."""

    class State(models.TextChoices):
        """QUEUED ⇄ RUNNING → DONE | FAILED | BLOCKED | CANCELLED; QUEUED → EXPIRED | CANCELLED."""

        QUEUED = "queued"  # waiting for a worker
        RUNNING = "running"  # a worker holds its lease
        DONE = "done"  # its portrait is committed
        FAILED = "failed"  # three attempts, or a fault that repeating cannot mend
        BLOCKED = "blocked"  # held back by a safety gate
        CANCELLED = "cancelled"  # stopped; no portrait will ever appear
        EXPIRED = "expired"  # never started in time

    class Task(models.TextChoices):
        """What it is painted from."""

        IDENTITY = "identity"  # what the style's recipe says: photos, or the recipe alone
        TEXT = "text"  # the prompt that its owner wrote, and no photo
        EDIT = "edit"  # a portrait of its owner's, in another style or as their words say
        UPSCALE = "upscale"  # a portrait of its owner's, larger

    class Phase(models.TextChoices):
        """What the worker is doing."""

        WAITING = "waiting"
        FETCHING = "fetching"
        PAINTING = "painting"
        STORING = "storing"
        ENDED = "ended"

    OPEN = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items")
    style = models.ForeignKey(Style, on_delete=models.PROTECT)
    position = models.PositiveSmallIntegerField()
    seed = models.PositiveBigIntegerField()
    task = models.CharField(max_length=8, choices=Task, default=Task.IDENTITY)
    # Sealed to the fleet; destroyed when it is painted, or when its job ends without that.
    prompt = models.ForeignKey(Blob, null=True, on_delete=models.SET_NULL, related_name="+")
    # The portrait that it is made from, and its copy for the worker, which ends as a prompt does.
    made_from = models.ForeignKey(
        "Portrait", null=True, on_delete=models.SET_NULL, related_name="made_into"
    )
    source = models.ForeignKey(Blob, null=True, on_delete=models.SET_NULL, related_name="+")
    # Where these are not what its style says.
    engine = models.CharField(max_length=80, blank=True)
    width = models.PositiveSmallIntegerField(null=True)
    height = models.PositiveSmallIntegerField(null=True)
    # An upscale may invent detail.
    rich = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    phase = models.CharField(max_length=8, choices=Phase, default=Phase.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=40, blank=True)
    # The job's sequence when this item changed last.
    sequence = models.PositiveBigIntegerField(default=0)
    # Whether it counts against its owner's allowance, until it ends without a portrait.
    charged = models.BooleanField(default=False)
    # Its owner has asked for one more try after it failed.
    retried = models.BooleanField(default=False)
    # A safety gate held the first picture back; `seed` is the second, and there is no third.
    reseeded = models.BooleanField(default=False)
    # The item whose portrait was not liked; one such item a portrait is free.
    reroll_of = models.OneToOneField(
        "self", null=True, on_delete=models.SET_NULL, related_name="reroll"
    )
    # The file format that was asked for; empty means the installation's own.
    format = models.CharField(max_length=4, choices=Format, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="item_position")]
        indexes = [
            # For counting what has ended lately. It keeps no entry a row, so that it costs the job
            # path next to nothing: an update that changes it alone stays on its page.
            BrinIndex(
                fields=["ended_at"], name="item_ended", autosummarize=True, pages_per_range=16
            )
        ]

    def __str__(self) -> str:
        return f"item {self.id}"

    @property
    def painter(self) -> str:
        """The name of the engine that paints it."""
        return self.engine or self.style.engine

    @property
    def recipe(self) -> Recipe:
        """Its style's, in its own size."""
        return Recipe.from_json(self.style.recipe).sized(self.width, self.height)


class Portrait(models.Model):
    """A finished portrait: which style, from which item, until when. Its bytes are blobs."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="portrait")
    # Of the full picture; the portrait goes with it.
    blob = models.OneToOneField(Blob, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    # What painted it, the hash of its file, and what upkeep signs of it (portraits/receipts.py).
    weights_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.BinaryField(null=True, max_length=32)
    receipt = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-created_at"]),
            models.Index(fields=["item"], name="portrait_owed", condition=Q(receipt__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"portrait {self.id}"


class Rendition(models.Model):
    """One size of a portrait, `full` included; `prompt` is what it was painted from, in words.

    A prompt is sealed, kept, moved and erased as the sizes are, which is what it is owed.
    """

    PROMPT = "prompt"

    portrait = models.ForeignKey(Portrait, on_delete=models.CASCADE, related_name="renditions")
    name = models.CharField(max_length=8)
    blob = models.OneToOneField(Blob, on_delete=models.CASCADE, related_name="+")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    media_type = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["portrait", "name"], name="rendition_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.portrait_id}"


class Allowance(models.Model):
    """How many portraits a person has asked for in a day or a month."""

    class Period(models.TextChoices):
        """What is counted together, in UTC."""

        DAY = "day"
        MONTH = "month"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    period = models.CharField(max_length=5, choices=Period)
    starts = models.DateField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "period", "starts"], name="allowance_period")
        ]

    def __str__(self) -> str:
        return f"{self.used} in the {self.period} of {self.starts}"


class Event(models.Model):
    """Something that the operator's webhook is told: a type and ids, nothing else."""

    class Type(models.TextChoices):
        """What happened."""

        ITEM_ENDED = "item.ended"  # one portrait exists, or will never
        JOB_ENDED = "job.ended"  # all items have ended
        WORK_GIVEN_UP = "work.given_up"  # three attempts failed; somebody should look

    class State(models.TextChoices):
        """WAITING → DELIVERED | GIVEN_UP."""

        WAITING = "waiting"  # not yet accepted by the endpoint
        DELIVERED = "delivered"  # answered with a 2xx
        GIVEN_UP = "given_up"  # refused or not reached for the whole schedule

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    type = models.CharField(max_length=20, choices=Type)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    # The job or the item; what has been deleted since is still named.
    object_id = models.UUIDField()
    # The job that an item belongs to.
    job_id = models.UUIDField(null=True)
    # Written down when it happens, so that each try says the same and the courier reads no job.
    outcome = models.CharField(max_length=12, blank=True)
    sequence = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    status = models.PositiveSmallIntegerField(null=True, help_text="The endpoint's last answer.")
    created_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Nearly all are delivered; whoever looks at the others must not read those.
            models.Index(
                fields=["state", "created_at"],
                name="event_undelivered",
                condition=~Q(state="delivered"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"
