"""Who may open and do what, written down a second time, by whoever adds a page.

Every registered model, every act and every page of the admin has a line here, with the roles that
it opens for; to all others it is 403. What is missing here, or here and not there, fails
tests/staff/test_the_role_matrix.py.
"""

SUPPORT, CONTENT, PRIVACY, OPERATOR, AUDITOR = (
    "support", "content", "privacy", "operator", "auditor",
)  # fmt: skip

# A model's list, its things and their history.
MODELS: dict[str, set[str]] = {
    "accounts.user": {SUPPORT, PRIVACY},
    "admin.logentry": {AUDITOR},
    "portraits.item": {SUPPORT, CONTENT, PRIVACY, OPERATOR},
    "portraits.job": {SUPPORT, PRIVACY, OPERATOR},
    "portraits.report": {SUPPORT, CONTENT, PRIVACY},
    "portraits.style": {SUPPORT, CONTENT, OPERATOR, AUDITOR},
    "privacy.auditevent": {PRIVACY, AUDITOR},
    "privacy.case": {SUPPORT, PRIVACY, AUDITOR},
    "privacy.consent": {PRIVACY, AUDITOR},
    "privacy.consentdocument": {PRIVACY, AUDITOR},
    "privacy.erasure": {SUPPORT, PRIVACY, OPERATOR, AUDITOR},
    "privacy.legalorder": {PRIVACY, AUDITOR},
}

# Whose things may be edited, and begun. Nothing can be deleted, by nobody.
EDITABLE: dict[str, set[str]] = {"portraits.style": {CONTENT}}
ADDABLE: dict[str, set[str]] = {
    "portraits.style": {CONTENT},
    # What came by mail or letter is noted.
    "privacy.case": {SUPPORT, PRIVACY},
}

# "<model> <name of the method>".
ACTS: dict[str, set[str]] = {
    "portraits.item send_on": {SUPPORT, OPERATOR},
    "portraits.job cancel": {SUPPORT, OPERATOR},
    "portraits.style discard": {CONTENT},
    "portraits.style new_draft": {CONTENT},
    "portraits.style publish": {CONTENT},
    "portraits.style retire": {CONTENT},
    "portraits.report mark_closed": {SUPPORT, CONTENT, PRIVACY},
}

# Addresses of no model, by name.
PAGES: dict[str, set[str]] = {
    "engines": {OPERATOR},
    "flower": {OPERATOR},
    "flower_page": {OPERATOR},
    "privacy_case_act": {SUPPORT, PRIVACY},
    "privacy_case_finish": {SUPPORT, PRIVACY},
    # Of nobody: the drawn subject.
    "portraits_style_picture": {SUPPORT, CONTENT, OPERATOR, AUDITOR},
}

# What everybody on staff may open: it shows their own, or what their role opens.
EVERYBODY = {
    "index", "app_list", "search", "login", "logout", "password_change", "password_change_done",
    "autocomplete", "jsi18n", "view_on_site", "enrol", "prove",
}  # fmt: skip
