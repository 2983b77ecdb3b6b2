"""Who on staff may do what: the whole of it, as a table. Pure data.

Each role is a Django group. "portraits.Report": "view close" gives it the permissions
`portraits.view_report` and `portraits.close_report`. Beside the words of Django (view, change) a
word names an act of a page (`accounts.staff.pages.act`). A page of no model is a word of PAGES:
"flower" there gives `deploy.open_flower`. Permissions that are not listed are taken away at the
next `manage.py migrate`, which makes the groups.

Nobody may add or delete anything but a draft of a style, start a generation, or open a picture of
a person or a prompt; there is no permission for it.
"""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody is on staff for."""

    SUPPORT = "support"
    CONTENT = "content"
    PRIVACY = "privacy"
    OPERATOR = "operator"
    AUDITOR = "auditor"


DUTIES: Final[dict[Role, str]] = {
    Role.SUPPORT: "answers people: requests, accounts, jobs and why they failed, reports",
    Role.CONTENT: "keeps the styles: drafts, publishes and retires versions, reads reports",
    Role.PRIVACY: "privacy officer: requests, legal orders, consents, erasures, the audit trail",
    Role.OPERATOR: "keeps it running: jobs, engines, Flower",
    Role.AUDITOR: "reads consents, erasures, the audit trail and the log of staff; changes nothing",
}

# The key under which pages of no model stand.
PAGES: Final = "deploy.Page"

ROLES: Final[dict[Role, dict[str, str]]] = {
    Role.SUPPORT: {
        "accounts.User": "view",
        "portraits.Item": "view forward",
        "portraits.Job": "view cancel",
        "portraits.Report": "view close",
        "portraits.Style": "view",
        "privacy.Case": "view note handle open finish",
        "privacy.Erasure": "view",
    },
    Role.CONTENT: {
        "portraits.Item": "view",
        "portraits.Report": "view close",
        "portraits.Style": "view change draft publish retire",
    },
    Role.PRIVACY: {
        "accounts.User": "view",
        "portraits.Item": "view",
        "portraits.Job": "view",
        "portraits.Report": "view close",
        "privacy.AuditEvent": "view",
        "privacy.Case": "view note handle open finish",
        "privacy.Consent": "view",
        "privacy.ConsentDocument": "view",
        "privacy.Erasure": "view",
        "privacy.LegalOrder": "view approve",
    },
    Role.OPERATOR: {
        "portraits.Item": "view forward",
        "portraits.Job": "view cancel",
        "portraits.Style": "view",
        "privacy.Erasure": "view",
        PAGES: "flower engines",
    },
    Role.AUDITOR: {
        "admin.LogEntry": "view",
        "portraits.Style": "view",
        "privacy.AuditEvent": "view",
        "privacy.Case": "view",
        "privacy.Consent": "view",
        "privacy.ConsentDocument": "view",
        "privacy.Erasure": "view",
        "privacy.LegalOrder": "view",
    },
}
