"""What must be true before any process starts. A failure names the thing and the setting."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error

from privacy.inventory import TABLES
from privacy.retention import DEADLINES, Kind

MEMORY_HANDLER = "django.core.files.uploadhandler.MemoryFileUploadHandler"


def unlisted_models() -> list[str]:
    """Models of any app that inventory.py does not know."""
    known = {table.model.lower() for table in TABLES}
    models = apps.get_models(include_auto_created=True)
    return sorted(model._meta.label for model in models if model._meta.label_lower not in known)


def unlisted_fields() -> list[str]:
    """Columns of listed models that their entry does not class, as `app.Model.field`."""
    found = []
    for table in TABLES:
        columns = {field.name for field in apps.get_model(table.model)._meta.concrete_fields}
        found += [f"{table.model}.{name}" for name in sorted(columns - set(table.columns))]
    return found


def check_inventory(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every table and every field has its entry, and every kind of blob its deadline."""
    errors: list[CheckMessage] = [
        Error(f"{label} is missing in privacy/inventory.py.", id="privacy.E001")
        for label in unlisted_models() + unlisted_fields()
    ]
    if set(DEADLINES) != set(Kind):
        errors.append(Error("A kind of blob has no deadline in retention.py.", id="privacy.E002"))
    return errors


def check_uploads(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """No upload may be spooled to a disk in clear."""
    errors: list[CheckMessage] = []
    if list(settings.FILE_UPLOAD_HANDLERS) != [MEMORY_HANDLER]:
        errors.append(
            Error("FILE_UPLOAD_HANDLERS may hold the memory handler only.", id="privacy.E003")
        )
    if settings.FILE_UPLOAD_MAX_MEMORY_SIZE <= settings.BODY_MAX_BYTES:
        errors.append(
            Error(
                "FILE_UPLOAD_MAX_MEMORY_SIZE must exceed BODY_MAX_BYTES, or Django spools bodies "
                "to a temporary file in clear.",
                id="privacy.E004",
            )
        )
    return errors


# Which folders a role may be given; anything else is a crossed compartment.
HELD = {
    "web": {"ROOT_KEYS"},
    "keeper": {"ROOT_KEYS", "EVIDENCE_KEYS"},
    "intake": {"FLEET_KEYS"},
    "gpu": {"FLEET_KEYS", "C2PA_KEYS"},
    "upkeep": {"RECEIPT_KEYS"},
    "courier": {"GRANT_KEYS"},
}


def check_compartments(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A role holds the key folders of its compartment, all of them and no other."""
    role = str(settings.ROLE)
    folders = (
        *("ROOT_KEYS", "FLEET_KEYS", "EVIDENCE_KEYS", "RECEIPT_KEYS", "C2PA_KEYS", "GRANT_KEYS"),
    )
    given = {name for name in folders if getattr(settings, name)}
    allowed: set[str] = HELD.get(role, set())
    errors: list[CheckMessage] = [
        Error(f"The role {role} may not be given SITTER_{name}.", id="privacy.E005")
        for name in sorted(given - allowed)
    ]
    errors += [
        Error(f"The role {role} needs SITTER_{name}.", id="privacy.E006")
        for name in sorted(allowed - given)
        if _needed(name)
    ]
    return errors


def _needed(name: str) -> bool:
    if name == "C2PA_KEYS":
        return bool(settings.PRODUCTION and settings.C2PA)
    return name != "GRANT_KEYS" or bool(settings.APPLE_KEY)


def check_apple(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Who could revoke in our name is the courier alone."""
    role = str(settings.ROLE)
    if role == "courier" or not settings.APPLE_KEY:
        return []
    sentence = f"The role {role} may not be given SITTER_APPLE_KEY."
    return [Error(sentence, id="privacy.E008")]


def check_webhook(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Who could sign in our name is the courier alone."""
    role = str(settings.ROLE)
    if role == "courier" or not settings.WEBHOOK_KEYS:
        return []
    sentence = f"The role {role} may not be given SITTER_WEBHOOK_KEYS."
    return [Error(sentence, id="privacy.E007")]


ALL = (check_inventory, check_uploads, check_compartments, check_webhook, check_apple)
