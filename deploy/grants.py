"""What each PostgreSQL login may do, as a table: S select, I insert, U update, D delete.

A compartment in the database as well as in the keys: a worker cannot read a wrapped owner key, the
web cannot read a typed name back, beat and Flower have no login at all.
"""

from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.db import connection
from psycopg import sql

from privacy import compact

VERBS: Final = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}

# Holding the owner's row needs the right to update some column of it; `fence` carries nothing.
HOLD_OWNER: Final[dict[str, tuple[str, ...]]] = {
    "SELECT": ("owner_id", "public", "prefix", "destroyed_at"),
    "UPDATE": ("fence",),
}

TABLES: Final[dict[str, dict[str, str]]] = {
    "web": {
        "accounts.User": "SIU", "accounts.Session": "SIUD", "accounts.User_groups": "SID",
        "accounts.User_user_permissions": "SID", "account.EmailAddress": "SIUD",
        "account.EmailConfirmation": "SIUD", "mfa.Authenticator": "SIUD",
        "socialaccount.SocialAccount": "SIUD", "socialaccount.SocialToken": "SD",
        "accounts.ProviderKeys": "SU", "privacy.SignInGrant": "SIU", "privacy.GrantKey": "S",
        "admin.LogEntry": "SI", "auth.Group": "S",
        "auth.Group_permissions": "S", "auth.Permission": "S", "contenttypes.ContentType": "S",
        "privacy.OwnerKey": "SIU", "privacy.FleetKey": "S", "privacy.EvidenceKey": "S",
        "privacy.ReceiptKey": "S", "privacy.Blob": "SIU", "privacy.Capsule": "SID",
        "privacy.Lease": "SIUD", "privacy.ConsentDocument": "S", "privacy.Consent": "SI",
        "privacy.ConsentServing": "SI", "privacy.ConsentEvidence": "I", "privacy.Erasure": "SI",
        "privacy.ErasureRecipient": "SI", "privacy.AuditEvent": "SI", "privacy.RootEpoch": "S",
        "privacy.Pulse": "S", "privacy.Export": "SIUD", "privacy.ExportPart": "SIUD",
        "privacy.FaceClaim": "SIU", "privacy.Verdict": "SI", "privacy.TransparencyReport": "S",
        "privacy.Notice": "S", "privacy.LedgerLink": "S",
        "portraits.Style": "SIUD", "portraits.Painter": "S", "portraits.ReferenceSet": "SIUD",
        "portraits.Photo": "SIUD", "portraits.Job": "SIU", "portraits.Item": "SIU",
        "portraits.Portrait": "SUD", "portraits.Rendition": "SUD",
        "portraits.Allowance": "SIU", "portraits.Event": "SI", "privacy.Period": "S",
        "portraits.Report": "SIU", "portraits.Trial": "SD", "portraits.Halt": "SIUD",
        "portraits.Check": "SI", "privacy.Case": "SIU", "privacy.CaseEntry": "SI",
        "privacy.LegalOrder": "SI",
    },
    "intake": {
        "privacy.FleetKey": "SI", "privacy.Blob": "SIU", "privacy.Capsule": "SID",
        "privacy.Lease": "SIUD", "privacy.AuditEvent": "I", "privacy.Export": "SU",
        "privacy.ExportPart": "SU", "privacy.Verdict": "SI", "privacy.Pulse": "S",
        "portraits.ReferenceSet": "SU", "portraits.Photo": "SU", "privacy.Period": "SIU",
        "portraits.Event": "I", "portraits.Check": "SU",
    },
    "gpu": {
        "privacy.FleetKey": "S", "privacy.Blob": "SIU", "privacy.Capsule": "SID",
        "privacy.Lease": "SIUD", "privacy.AuditEvent": "I", "portraits.Style": "S",
        "portraits.Painter": "SIUD", "portraits.ReferenceSet": "SUD", "portraits.Photo": "SUD",
        "portraits.Job": "SU", "portraits.Item": "SU", "portraits.Portrait": "SI",
        "portraits.Rendition": "SI", "privacy.Verdict": "SI", "privacy.Pulse": "S",
        "portraits.Allowance": "SU", "portraits.Event": "I", "privacy.Period": "SIU",
        "portraits.Trial": "SI", "portraits.Halt": "S",
    },
    "upkeep": {
        "accounts.User": "SUD", "accounts.Session": "SD", "accounts.User_groups": "SD",
        "accounts.User_user_permissions": "SD", "account.EmailAddress": "SD",
        "account.EmailConfirmation": "SD", "mfa.Authenticator": "SD",
        "socialaccount.SocialAccount": "SD", "socialaccount.SocialToken": "SD",
        "privacy.SignInGrant": "SUD", "admin.LogEntry": "SD", "privacy.OwnerKey": "ID",
        "privacy.Blob": "SIUD", "privacy.Capsule": "SID", "privacy.Lease": "SIUD",
        "privacy.FleetKey": "S", "privacy.EvidenceKey": "S", "privacy.RootEpoch": "S",
        "privacy.ReceiptKey": "SI", "privacy.Erasure": "SIUD", "privacy.ErasureRecipient": "SIUD",
        "privacy.AuditEvent": "SID", "privacy.Consent": "SID", "privacy.ConsentDocument": "S",
        "privacy.ConsentServing": "SD", "privacy.LedgerLink": "SID", "privacy.Checkpoint": "SID",
        "privacy.Export": "SUD", "privacy.ExportPart": "SD", "privacy.Notice": "SID",
        "privacy.FaceClaim": "SD", "privacy.Pulse": "SIU", "privacy.Verdict": "SID",
        "privacy.TransparencyReport": "SIU", "portraits.Style": "S",
        "portraits.Painter": "SD", "portraits.ReferenceSet": "SUD", "portraits.Photo": "SUD",
        "portraits.Job": "SUD", "portraits.Item": "SUD", "portraits.Portrait": "SUD",
        "portraits.Rendition": "SUD", "portraits.Allowance": "SUD", "portraits.Event": "SIUD",
        "privacy.Period": "SIU", "portraits.Report": "SD", "portraits.Check": "SUD",
        "privacy.Case": "SD", "privacy.CaseEntry": "SD", "privacy.LegalOrder": "SD",
    },
    "keeper": {
        "privacy.EvidenceKey": "SI", "privacy.ConsentEvidence": "S", "privacy.OwnerKey": "SI",
        "privacy.Erasure": "S", "privacy.RootEpoch": "SIU", "privacy.Lease": "SIUD",
        "privacy.Export": "SU", "privacy.ExportPart": "SU", "privacy.Blob": "SIU",
        "privacy.Capsule": "ID", "privacy.Consent": "S", "privacy.AuditEvent": "I",
        "privacy.ConsentDocument": "S", "privacy.Verdict": "SI", "privacy.FleetKey": "S",
        "privacy.Pulse": "S", "privacy.Period": "SIU", "portraits.Event": "I",
        "privacy.LegalOrder": "S",
    },
    "courier": {
        "portraits.Event": "SU", "privacy.Lease": "SUD", "privacy.Pulse": "S",
        "accounts.ProviderKeys": "SIU", "privacy.SignInGrant": "SUD", "privacy.GrantKey": "SI",
        "privacy.Period": "SIU",
    },
}  # fmt: skip

# Upkeep destroys wrapped owner keys without being able to read one.
DESTROY_OWNER: Final[dict[str, tuple[str, ...]]] = {
    "SELECT": (
        "owner_id", "public", "root_epoch", "prefix", "created_at", "destroyed_at", "fence",
        "openable",
    ),
    "UPDATE": ("wrapped", "public", "destroyed_at", "fence"),
}  # fmt: skip
# Who agrees to a legal order, who seals it and who tells of it are three logins: none can do two.
AGREES: Final[dict[str, tuple[str, ...]]] = {"UPDATE": ("second_id", "approved_at", "state")}
SEALS: Final[dict[str, tuple[str, ...]]] = {"UPDATE": ("state", "sealed_at", "package_sha256")}
TELLS: Final[dict[str, tuple[str, ...]]] = {"UPDATE": ("telling", "told_at", "known_to")}
# The keeper moves them from root to root, and changes nothing else.
REWRAP_OWNER: Final[dict[str, tuple[str, ...]]] = {"UPDATE": ("wrapped", "root_epoch", "fence")}

# Rights on single columns: role → (table, privilege → columns).
COLUMNS: Final[dict[str, tuple[tuple[str, dict[str, tuple[str, ...]]], ...]]] = {
    "web": (("privacy.LegalOrder", AGREES),),
    "intake": (("privacy.OwnerKey", HOLD_OWNER),),
    "gpu": (
        ("privacy.OwnerKey", HOLD_OWNER),
        # Why a draft could not be painted, and nothing else of it.
        ("portraits.Style", {"UPDATE": ("fault",)}),
    ),
    "upkeep": (
        ("privacy.ConsentEvidence", {"SELECT": ("consent_id", "expires_at")}),
        ("privacy.OwnerKey", DESTROY_OWNER),
        ("privacy.LegalOrder", TELLS),
    ),
    "keeper": (
        ("privacy.LegalOrder", SEALS),
        # To take back a part that came late, without being able to read what opens anything.
        ("privacy.Capsule", {"SELECT": ("blob_id",)}),
        ("privacy.OwnerKey", REWRAP_OWNER),
    ),
}
# Upkeep rewrites the accounts' tables after an erasure (privacy/compact.py).
MAINTAINED: Final = {"upkeep": compact.TABLES}
# What a login may do only by asking PostgreSQL, which looks first whether it may: the keeper reads
# what a legal order is about, once two officers have agreed to it (privacy/legal.py).
FUNCTIONS: Final = {"keeper": ("privacy_legal_material(uuid)",)}
# Upkeep ends evidence by its term, without being able to read it.
DELETE_ONLY: Final = {"upkeep": ("privacy.ConsentEvidence",)}


def _table(label: str) -> sql.Identifier:
    return sql.Identifier(apps.get_model(label)._meta.db_table)


def statements(role: str) -> Iterator[sql.Composable]:
    """The SQL that gives one login its rights, and takes every other right away."""
    login = sql.Identifier(f"sitter_{role}")
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(login)
    for signature in (name for names in FUNCTIONS.values() for name in names):
        revoked = sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC, {}")
        yield revoked.format(sql.SQL(signature), login)
    yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(login)
    for label, letters in TABLES[role].items():
        verbs = sql.SQL(", ").join(sql.SQL(VERBS[letter]) for letter in letters)
        yield sql.SQL("GRANT {} ON {} TO {}").format(verbs, _table(label), login)
    for label, rights in COLUMNS.get(role, ()):
        for verb, columns in rights.items():
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            yield sql.SQL("GRANT {} ({}) ON {} TO {}").format(
                sql.SQL(verb), names, _table(label), login
            )
    for label in MAINTAINED.get(role, ()):
        yield sql.SQL("GRANT MAINTAIN ON {} TO {}").format(_table(label), login)
    for signature in FUNCTIONS.get(role, ()):
        function = sql.SQL(signature)
        yield sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, login)
    for label in DELETE_ONLY.get(role, ()):
        yield sql.SQL("GRANT DELETE ON {} TO {}").format(_table(label), login)


def apply() -> list[str]:
    """Give every login that exists its rights; returns those that do not exist."""
    missing = []
    with connection.cursor() as cursor:
        for role in TABLES:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [f"sitter_{role}"])
            if cursor.fetchone() is None:
                missing.append(role)
                continue
            for statement in statements(role):
                cursor.execute(statement.as_string(cursor.cursor))
    return missing
