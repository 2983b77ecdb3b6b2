"""The tables of the product, as a project of its own would see them."""

import uuid
from typing import Any, ClassVar

from django.db import models


class Row(models.Model):
    """The type checker knows the product's apps, and not this one."""

    objects: ClassVar[Any] = models.Manager()
    items: Any

    class Meta:
        abstract = True


class Person(Row):
    """Somebody with an account."""

    id = models.UUIDField(primary_key=True)
    email = models.EmailField()
    is_active = models.BooleanField()
    is_authenticated = True

    class Meta:
        managed = False
        db_table = "accounts_user"

    def __str__(self) -> str:
        return str(self.id)


class Token(Row):
    """A session, as REST framework's tokens are: a key, and whose it is."""

    key = models.CharField(max_length=40, primary_key=True, db_column="session_key")
    user = models.ForeignKey(Person, on_delete=models.CASCADE)

    class Meta:
        managed = False
        db_table = "accounts_session"

    def __str__(self) -> str:
        return "a token"


class Style(Row):
    """A style."""

    id = models.UUIDField(primary_key=True)
    slug = models.SlugField(max_length=40)
    engine = models.CharField(max_length=80)

    class Meta:
        managed = False
        db_table = "portraits_style"

    def __str__(self) -> str:
        return self.slug


class ReferenceSet(Row):
    """The photos."""

    id = models.UUIDField(primary_key=True)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE)

    class Meta:
        managed = False
        db_table = "portraits_referenceset"

    def __str__(self) -> str:
        return str(self.id)


class Job(Row):
    """What was asked for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE)
    references = models.ForeignKey(ReferenceSet, null=True, on_delete=models.SET_NULL)
    state = models.CharField(max_length=10, default="queued")
    lane = models.CharField(max_length=12, default="interactive")
    sequence = models.PositiveBigIntegerField(default=0)
    body_sha256 = models.BinaryField(default=bytes(32))
    created_at = models.DateTimeField()
    start_by = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "portraits_job"

    def __str__(self) -> str:
        return str(self.id)


class Item(Row):
    """One portrait of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items")
    style = models.ForeignKey(Style, on_delete=models.PROTECT)
    position = models.PositiveSmallIntegerField()
    seed = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, default="queued")
    phase = models.CharField(max_length=8, default="waiting")
    percent = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=40, blank=True)
    sequence = models.PositiveBigIntegerField(default=0)
    charged = models.BooleanField(default=False)
    retried = models.BooleanField(default=False)
    task = models.CharField(max_length=8, default="identity")
    engine = models.CharField(max_length=80, blank=True)
    format = models.CharField(max_length=4, blank=True)
    rich = models.BooleanField(default=False)
    reseeded = models.BooleanField(default=False)

    class Meta:
        managed = False
        db_table = "portraits_item"

    def __str__(self) -> str:
        return str(self.id)


class Portrait(Row):
    """A finished one."""

    id = models.UUIDField(primary_key=True)
    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="portrait")

    class Meta:
        managed = False
        db_table = "portraits_portrait"

    def __str__(self) -> str:
        return str(self.id)
