"""The audit trail, and the hash chain that is laid over it and over the consent ledger."""

from django.db import models
from django.utils import timezone

from accounts.models import uuid7
from privacy.models.triggers import append_only
from privacy.retention import Term, term


class AuditEvent(models.Model):
    """What was done to whose data, by which role, when. There is no text column to leak into."""

    class Verb(models.IntegerChoices):
        """What happened. Numbers never change their meaning."""

        CONSENT_GRANTED = 1
        CONSENT_WITHDRAWN = 2
        BLOB_WRITTEN = 10
        BLOB_READ = 11
        BLOB_DESTROYED = 12
        BLOBS_EXPIRED = 13
        DEADLINE_MOVED = 14
        ROWS_ENDED = 15
        COMPACTED = 16
        ERASURE_REQUESTED = 20
        ERASURE_PROVED = 21
        RECIPIENT_CONFIRMED = 22
        JOB_SUBMITTED = 30
        JOB_FAILED = 31
        JOB_CANCELLED = 32
        ITEM_SENT_ON = 33
        STYLE_PUBLISHED = 34
        STYLE_RETIRED = 35
        ENGINE_STOPPED = 36
        ENGINE_RESUMED = 37
        ROOT_MADE = 40
        OWNERS_REWRAPPED = 41
        ROOT_DESTROYED = 42
        EXPORT_REQUESTED = 50
        EXPORT_FETCHED = 51
        EVIDENCE_OPENED = 52
        RESTORED = 60
        NOTICE_SENT = 70
        FACE_CLAIMED = 80
        PROVED = 90
        PROOF_FAILED = 91
        # The subject is the member of staff, the object what they acted upon.
        STAFF_SIGNED_IN = 100
        STAFF_REFUSED = 101
        STAFF_ENROLLED = 102
        STAFF_ACTED = 103
        CASE_OPENED = 110
        CASE_TAKEN = 111
        CASE_PROVEN = 112
        CASE_ANSWERED = 113
        CASE_CLOSED = 114
        CORRECTED = 115
        ORDER_FILED = 120
        ORDER_APPROVED = 121
        ORDER_SEALED = 122

    class Actor(models.IntegerChoices):
        """Which process did it; WEB acts for the person who is signed in."""

        WEB = 1
        INTAKE = 2
        GPU = 3
        UPKEEP = 4
        KEEPER = 5
        OPERATOR = 6

    class Reason(models.IntegerChoices):
        """Why it was done. Numbers never change their meaning."""

        NONE = 0
        OWNER = 1  # the person asked for it
        CHECKING = 2  # the intake looked at a photo
        PAINTING = 3  # a job needed it
        EXPORT = 4  # a part of an export was made
        DEADLINE = 5  # its time was over
        SERVED = 6  # a photo had served its job
        UNFINISHED = 7  # it was begun and never completed
        WITHDRAWAL = 8
        ERASURE = 9
        INACTIVITY = 10
        RESTORE = 11
        PROOF = 12
        STAFF = 13  # somebody of the staff asked for it
        LEGAL_ORDER = 14

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(default=timezone.now)
    verb = models.PositiveSmallIntegerField(choices=Verb)
    actor = models.PositiveSmallIntegerField(choices=Actor)
    reason = models.PositiveSmallIntegerField(choices=Reason, default=Reason.NONE)
    subject_id = models.UUIDField(null=True)
    object_id = models.UUIDField(null=True)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["subject_id", "at"]), models.Index(fields=["at"])]
        triggers = append_only(term(Term.AUDIT))

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {self.at:%Y-%m-%d}"


class Ledger(models.IntegerChoices):
    """Which table a chain runs over."""

    CONSENT = 1
    AUDIT = 2


class LedgerLink(models.Model):
    """One entry's place in its chain, and its salted digest."""

    id = models.BigAutoField(primary_key=True)
    ledger = models.PositiveSmallIntegerField(choices=Ledger)
    number = models.PositiveBigIntegerField()
    entry_id = models.UUIDField()
    # The entry's own time, so that a link ends with what it links.
    at = models.DateTimeField()
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ledger", "number"], name="link_number"),
            models.UniqueConstraint(fields=["ledger", "entry_id"], name="link_entry"),
        ]
        triggers = append_only(term(Term.AUDIT))

    def __str__(self) -> str:
        return f"{self.get_ledger_display()} {self.number}"


class Checkpoint(models.Model):
    """The signed head of a chain behind one batch of links."""

    id = models.BigAutoField(primary_key=True)
    ledger = models.PositiveSmallIntegerField(choices=Ledger)
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    previous = models.BinaryField(max_length=32)
    chain = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    key_label = models.CharField(max_length=32)
    signature = models.BinaryField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ledger", "last"], name="checkpoint_last")]
        triggers = append_only(term(Term.AUDIT))

    def __str__(self) -> str:
        return f"{self.get_ledger_display()} to {self.last}"
