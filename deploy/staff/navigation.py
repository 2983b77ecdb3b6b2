"""What stands at the admin's side: to each member of staff what their role opens, and no more."""

from typing import Any, Final, NamedTuple

from django.http import HttpRequest
from django.urls import reverse


class Entry(NamedTuple):
    """`icon`: a name of Material Symbols. `page`: an address by name. `permission`: who sees it."""

    title: str
    icon: str
    page: str
    permission: str


GROUPS: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    (
        "People",
        (
            Entry(
                "Requests", "support_agent", "admin:privacy_case_changelist", "privacy.view_case"
            ),
            Entry("Accounts", "person", "admin:accounts_user_changelist", "accounts.view_user"),
            Entry("Jobs", "work", "admin:portraits_job_changelist", "portraits.view_job"),
            Entry("Portraits", "image", "admin:portraits_item_changelist", "portraits.view_item"),
            Entry("Reports", "flag", "admin:portraits_report_changelist", "portraits.view_report"),
        ),
    ),
    (
        "Catalogue",
        (Entry("Styles", "palette", "admin:portraits_style_changelist", "portraits.view_style"),),
    ),
    (
        "Promises",
        (
            Entry(
                "Consents", "contract", "admin:privacy_consent_changelist", "privacy.view_consent"
            ),
            Entry(
                "Consent texts",
                "description",
                "admin:privacy_consentdocument_changelist",
                "privacy.view_consentdocument",
            ),
            Entry(
                "Erasures",
                "delete_forever",
                "admin:privacy_erasure_changelist",
                "privacy.view_erasure",
            ),
            Entry(
                "Audit trail",
                "history",
                "admin:privacy_auditevent_changelist",
                "privacy.view_auditevent",
            ),
            Entry(
                "Legal orders",
                "gavel",
                "admin:privacy_legalorder_changelist",
                "privacy.view_legalorder",
            ),
            Entry("Staff log", "badge", "admin:admin_logentry_changelist", "admin.view_logentry"),
        ),
    ),
    (
        "Machinery",
        (
            Entry("Engines", "tune", "admin:engines", "deploy.open_engines"),
            Entry("Flower", "local_florist", "admin:flower", "deploy.open_flower"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Named by the settings of Unfold. Groups of which nothing is left are left out."""
    shown = []
    for title, entries in GROUPS:
        items = [
            {"title": entry.title, "icon": entry.icon, "link": reverse(entry.page)}
            for entry in entries
            if request.user.has_perm(entry.permission)
        ]
        if items:
            shown.append({"title": title, "separator": True, "items": items})
    return shown


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """Named by the settings of Unfold: the links behind one's own name."""
    return [{"title": "Second factor", "link": reverse("admin:enrol")}]
