"""Every table in the installation: what it holds, why, how long, how it ends. Pure data.

A model that is missing here, of ours or of a third party, keeps the process from starting.
Erasure deletes by this list, in this order, and the proof looks every entry up again.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class End(Enum):
    """How a row goes when its person goes."""

    WITH_ACCOUNT = "deleted with the account"
    BY_ERASURE = "ended by the erasure's own stages"
    OUTLIVES = "kept under a random id for its term, as evidence"
    NOBODY = "holds nothing about a person"


@dataclass(frozen=True)
class Table:
    """One model. `owner` is the lookup that finds a person's rows, for WITH_ACCOUNT."""

    model: str
    holds: str
    why: str
    keep: str
    end: End
    owner: str | None = None


_CATALOGUE = "as long as the product needs it"
_ACCOUNT = "until the account is erased"

TABLES: Final[tuple[Table, ...]] = (
    # Children stand before what they point at, so that deleting in this order never trips.
    Table(
        "portraits.Rendition",
        "sizes of a portrait",
        "delivery",
        "as long as its portrait",
        End.WITH_ACCOUNT,
        "portrait__owner_id",
    ),
    Table(
        "portraits.Portrait",
        "which style was painted when, no picture",
        "delivery",
        "30 days, or as its owner says, 12 months at most",
        End.WITH_ACCOUNT,
        "owner_id",
    ),
    Table(
        "portraits.Item",
        "style, seed and state of one portrait to paint",
        "running the job",
        _ACCOUNT,
        End.WITH_ACCOUNT,
        "job__owner_id",
    ),
    Table(
        "portraits.Job",
        "what was asked for and when",
        "running the job",
        _ACCOUNT,
        End.WITH_ACCOUNT,
        "owner_id",
    ),
    Table(
        "portraits.Photo",
        "slot and verdict of a reference photo, and where in it the face is; no picture",
        "running the job",
        "as long as its set",
        End.WITH_ACCOUNT,
        "set__owner_id",
    ),
    Table(
        "portraits.ReferenceSet",
        "which reference photos belong together",
        "running the job",
        "24 hours, 7 days at most",
        End.WITH_ACCOUNT,
        "owner_id",
    ),
    Table("portraits.Style", "the catalogue of styles", "the product", _CATALOGUE, End.NOBODY),
    Table(
        "portraits.Painter",
        "which engines are running",
        "availability",
        "one minute",
        End.NOBODY,
    ),
    Table(
        "privacy.Capsule",
        "the half of a sealed picture that opens it",
        "reading it back",
        "as long as its blob",
        End.BY_ERASURE,
        "blob__owner_id",
    ),
    Table(
        "privacy.Blob",
        "where a sealed picture lies and until when",
        "reading and deleting it",
        "its deadline",
        End.BY_ERASURE,
        "owner_id",
    ),
    Table(
        "privacy.Lease",
        "work that is open",
        "running it once",
        "as long as the work",
        End.WITH_ACCOUNT,
        "owner_id",
    ),
    Table(
        "privacy.ExportPart",
        "which parts an export has",
        "your copy of your data",
        "24 hours",
        End.WITH_ACCOUNT,
        "export__owner_id",
    ),
    Table(
        "privacy.Export",
        "that an export was asked for and fetched",
        "your copy of your data",
        "24 hours",
        End.WITH_ACCOUNT,
        "owner_id",
    ),
    Table(
        "privacy.OwnerKey",
        "the person's wrapped key",
        "sealing their portraits",
        _ACCOUNT,
        End.WITH_ACCOUNT,
        "owner_id",
    ),
    Table(
        "privacy.Notice",
        "that a reminder was sent",
        "sending it once",
        "90 days",
        End.WITH_ACCOUNT,
        "subject_id",
    ),
    Table(
        "privacy.ConsentServing",
        "that a consent text was shown",
        "proof that it was shown before it was signed",
        "90 days",
        End.WITH_ACCOUNT,
        "subject_id",
    ),
    Table(
        "privacy.FaceClaim",
        "a report that a face was used without consent, sealed",
        "answering it",
        "12 months",
        End.NOBODY,
    ),
    Table("privacy.RootEpoch", "the life of each root key", "keys", _CATALOGUE, End.NOBODY),
    Table("privacy.Pulse", "a counter", "noticing a restored backup", _CATALOGUE, End.NOBODY),
    Table("privacy.Verdict", "what each role could open", "the proof", "30 days", End.NOBODY),
    Table(
        "privacy.TransparencyReport",
        "a day's proof in numbers",
        "publishing it",
        _CATALOGUE,
        End.NOBODY,
    ),
    Table(
        "privacy.LedgerLink",
        "salted digests of ledger entries",
        "noticing a changed entry",
        "5 years",
        End.OUTLIVES,
    ),
    Table(
        "privacy.Checkpoint",
        "signed heads of the ledgers",
        "noticing a changed entry",
        "5 years",
        End.OUTLIVES,
    ),
    Table(
        "privacy.ErasureRecipient",
        "who outside was told of an erasure",
        "GDPR 19",
        "5 years",
        End.OUTLIVES,
    ),
    Table("privacy.FleetKey", "public halves", "sealing", _CATALOGUE, End.NOBODY),
    Table("privacy.EvidenceKey", "public halves", "sealing", _CATALOGUE, End.NOBODY),
    Table("privacy.ReceiptKey", "public halves", "verifying receipts", _CATALOGUE, End.NOBODY),
    Table("privacy.ConsentDocument", "consent texts", "consent", _CATALOGUE, End.NOBODY),
    Table(
        "privacy.Consent",
        "that a random id signed or took back a text",
        "proof of consent (GDPR 7(1), BIPA 15(b))",
        "5 years",
        End.OUTLIVES,
    ),
    Table(
        "privacy.ConsentEvidence",
        "the typed name, sealed to a key that only the keeper holds",
        "proof of consent in a dispute",
        "5 years",
        End.OUTLIVES,
    ),
    Table("privacy.Erasure", "that a random id was erased", "the receipt", "5 years", End.OUTLIVES),
    Table(
        "privacy.AuditEvent",
        "verbs, random ids and times",
        "answering who opened what",
        "5 years",
        End.OUTLIVES,
    ),
    Table(
        "account.EmailConfirmation",
        "pending e-mail confirmations",
        "verifying the address",
        "3 days",
        End.WITH_ACCOUNT,
        "email_address__user_id",
    ),
    Table(
        "account.EmailAddress",
        "the e-mail address",
        "signing in",
        _ACCOUNT,
        End.WITH_ACCOUNT,
        "user_id",
    ),
    Table(
        "accounts.Session",
        "devices that are signed in, and how they signed in",
        "signing in",
        "30 days",
        End.WITH_ACCOUNT,
        "user_id",
    ),
    Table(
        "admin.LogEntry",
        "what staff did, by id",
        "accountability of staff",
        "as long as the member of staff",
        End.WITH_ACCOUNT,
        "user_id",
    ),
    Table(
        "accounts.User_groups",
        "roles of staff",
        "permissions",
        _ACCOUNT,
        End.WITH_ACCOUNT,
        "user_id",
    ),
    Table(
        "accounts.User_user_permissions",
        "permissions of staff",
        "permissions",
        _ACCOUNT,
        End.WITH_ACCOUNT,
        "user_id",
    ),
    Table(
        "accounts.User",
        "e-mail, password hash, region, 18+ attested, last seen",
        "signing in",
        _ACCOUNT,
        End.WITH_ACCOUNT,
        "pk",
    ),
    Table("auth.Group", "names of roles", "permissions", _CATALOGUE, End.NOBODY),
    Table("auth.Group_permissions", "what a role may do", "permissions", _CATALOGUE, End.NOBODY),
    Table("auth.Permission", "names of permissions", "permissions", _CATALOGUE, End.NOBODY),
    Table("contenttypes.ContentType", "names of tables", "Django", _CATALOGUE, End.NOBODY),
)
