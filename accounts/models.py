"""Who the user is, and nothing else: no name, no birth date, no picture."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

import uuid_utils.compat
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


def uuid7() -> uuid.UUID:
    """A UUIDv7: unguessable enough for an id, ordered by time for the index (RFC 9562)."""
    return uuid_utils.compat.uuid7()


class Region(models.TextChoices):
    """Where the person says they live; it decides which consent text they are shown."""

    EU_UK = "eu_uk", "European Union or United Kingdom"
    US_IL = "us_il", "Illinois"
    US_TX = "us_tx", "Texas"
    US_WA = "us_wa", "Washington"
    US_CA = "us_ca", "California"
    OTHER = "other", "Elsewhere"


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail, for allauth, the admin and `createsuperuser`."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user with a hashed password, or with none that works."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A member of staff who may do everything that the admin offers."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. Everything else about them hangs on `id`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    region = models.CharField(max_length=8, choices=Region, default=Region.OTHER)
    is_adult = models.BooleanField(default=False, help_text="Attested to be 18 or older.")
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    def __str__(self) -> str:
        # The admin's log copies this text and keeps it, so it must not name the person.
        return f"user {self.id}"

    def seen(self, now: datetime) -> None:
        """Note that the person was here, at most once an hour."""
        if (now - self.last_seen_at).total_seconds() > 3600:
            type(self).objects.filter(pk=self.pk).update(last_seen_at=now)


class Session(AbstractBaseSession):
    """A signed-in device. The user's id is a column, so that ending all of them is one DELETE."""

    user_id = models.UUIDField(null=True, db_index=True)
    created_at = models.DateTimeField(db_default=Now())
    # To the hour.
    seen_at = models.DateTimeField(db_default=Now())

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    @classmethod
    def get_session_store_class(cls) -> Any:
        """The store that reads and writes this model."""
        from accounts.sessions import SessionStore  # Django's session API asks for the class late.

        return SessionStore

    @staticmethod
    def end_of(created_at: datetime, seen_at: datetime) -> datetime:
        """When a session ends: by its age, or because nobody has used it for long."""
        age = timedelta(seconds=settings.SESSION_COOKIE_AGE)
        return min(created_at + age, seen_at + settings.SESSION_IDLE)


class ProviderKeys(models.Model):
    """The keys that a provider signs identity tokens with, as the courier fetched them last."""

    provider = models.CharField(primary_key=True, max_length=10)
    keys = models.JSONField(default=list)
    fetched_at = models.DateTimeField(null=True)
    # When somebody came with a token of a key that was not among them.
    wanted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.provider
