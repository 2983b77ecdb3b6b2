"""The admin's view of consents, erasures and the audit trail: read only, ids only."""

from django.contrib import admin

from accounts.staff.pages import ReadOnly
from privacy.desk.pages import CaseAdmin as CaseAdmin
from privacy.models import AuditEvent, Consent, ConsentDocument, Erasure, LegalOrder


@admin.register(ConsentDocument)
class ConsentDocumentAdmin(ReadOnly):
    """Consent texts, old ones too."""

    list_display = ("purpose", "language", "version", "sha256", "published_at", "retired_at")


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """The ledger."""

    list_display = ("id", "subject_id", "verb", "document", "act", "client", "at")
    search_fields = ("=subject_id", "=id")
    list_select_related = ("document",)


@admin.register(Erasure)
class ErasureAdmin(ReadOnly):
    """Erasures and how far they are."""

    list_display = ("stage", "requested_at", "proved_at")
    # The id fetches the receipt and the subject was erased, so neither is shown.
    fields = ("stage", "counts", "requested_at", "proved_at")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    """Who did what to whose data, by id."""

    list_display = ("at", "verb", "actor", "subject_id", "object_id", "count")
    list_filter = ("verb", "actor")
    search_fields = ("=subject_id", "=object_id")


@admin.register(LegalOrder)
class LegalOrderAdmin(ReadOnly):
    """That orders were answered, and by whom; about whom is not shown, and nothing is done here."""

    list_display = ("filed_at", "reason", "state", "telling", "silent_until")
    list_filter = ("state", "reason", "telling")
    fields = (
        *("id", "reason", "state", "filed_at", "first_id", "approved_at", "second_id"),
        *("sealed_at", "silent_until", "telling", "told_at"),
    )
