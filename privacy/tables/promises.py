"""The tables of privacy/: sealed bodies, keys, consents, ledgers, erasures, exports, proofs."""

from typing import Final

from privacy.retention import Term
from privacy.tables.shapes import Class, End, Lasting, Table

# Public halves, catalogues and counters: nothing about anybody.
_NOBODY: Final = (Lasting.CATALOGUE, End.NOBODY, None)
_COPY: Final = "a person's copy of their data (GDPR 15, 20)"

# What goes with a person. Children stand before what they point at.
LIVING: Final[tuple[Table, ...]] = (
    Table(
        "privacy.Capsule",
        "the half of a sealed picture that opens it",
        "showing pictures to their owner",
        *(Lasting.DEADLINE, End.BY_ERASURE, "blob__owner_id"),
        {Class.PSEUDONYM: "blob", Class.SECRET: "enc"},
    ),
    Table(
        "privacy.Blob",
        "where a sealed picture lies and until when",
        "finding and deleting sealed pictures",
        *(Lasting.DEADLINE, End.BY_ERASURE, "owner_id"),
        {
            Class.PSEUDONYM: "id owner name sha256",
            Class.STATE: "kind recipient recipient_label state length",
            Class.TIME: "created_at expires_at",
        },
    ),
    Table(
        *("privacy.Lease", "work that is open", "running open work once"),
        *(Lasting.WORK, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "id work_id owner_id",
            Class.STATE: "kind queue lane turn cost token attempts spared",
            Class.TIME: "held_until progressed_at ready_at nudged_at",
        },
    ),
    Table(
        "privacy.ExportPart",
        "which parts an export has",
        _COPY,
        *(Term.EXPORT, End.WITH_ACCOUNT, "export__owner_id"),
        {Class.PSEUDONYM: "id export source_id blob", Class.STATE: "sort"},
    ),
    Table(
        "privacy.Export",
        "that an export was asked for and fetched",
        _COPY,
        *(Term.EXPORT, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "id owner",
            Class.STATE: "state",
            Class.TIME: "requested_at ready_at fetched_at expires_at",
        },
    ),
    Table(
        *("privacy.OwnerKey", "the person's wrapped key", "sealing their portraits"),
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "owner_id public prefix",
            Class.SECRET: "wrapped",
            Class.STATE: "root_epoch fence openable",
            Class.TIME: "created_at destroyed_at",
        },
    ),
    Table(
        *("privacy.Notice", "that a reminder was sent", "sending a reminder once"),
        *(Term.NOTICE, End.WITH_ACCOUNT, "subject_id"),
        {
            Class.PSEUDONYM: "id subject_id",
            Class.STATE: "sort days_before",
            Class.TIME: "ends_at sent_at",
        },
    ),
    Table(
        "privacy.CaseEntry",
        "what was written on a request to support, by the person and by staff, sealed",
        "answering the request",
        *(Term.CASE_WORDS, End.WITH_ACCOUNT, "case__subject_id"),
        {
            Class.PSEUDONYM: "id case author_id",
            Class.SECRET: "capsule",
            Class.SEALED: "body",
            Class.STATE: "sort template",
            Class.TIME: "at expires_at",
        },
        opened="requests",
    ),
    Table(
        "privacy.ConsentServing",
        "that a consent text was shown",
        "proof that it was shown before it was signed",
        *(Term.SERVING, End.WITH_ACCOUNT, "subject_id"),
        {Class.PSEUDONYM: "id subject_id", Class.STATE: "document", Class.TIME: "at"},
    ),
)

# What outlives a person under a random id, each with its term, and nothing else does.
OUTLIVING: Final[tuple[Table, ...]] = (
    Table(
        "privacy.Consent",
        "that a random id signed or took back a text",
        "proof of consent (GDPR 7(1), BIPA 15(b))",
        *(Term.CONSENT, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "id subject_id evidence_sha256 release_sha256",
            Class.DECLARED: "document verb act client",
            Class.TIME: "at shown_at expires_at",
        },
        subject="subject_id",
    ),
    Table(
        "privacy.ConsentEvidence",
        "the typed name, sealed to a key that only the keeper holds",
        "proof of consent in a dispute",
        *(Term.EVIDENCE, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "consent",
            Class.SEALED: "enc body",
            Class.STATE: "key_label",
            Class.TIME: "expires_at",
        },
        opened="releases",
    ),
    Table(
        "privacy.Case",
        "that a random id asked support for something, by when it was due, and how it ended",
        "proof that requests are answered in time (GDPR 12(3), 11 CCR 7101)",
        *(Term.CASE, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "id subject_id lead sender claim_id officer_id receipt_id",
            Class.DECLARED: "kind region language",
            Class.STATE: "source state identity outcome receipt",
            Class.TIME: "taken_at received_at first_due_at due_at extended_at answered_at"
            " closed_at",
        },
        purposes={
            "sender": "knowing a second report of the same sender; gone when it is closed",
            "officer_id": "having one member of staff act on a request",
        },
        subject="subject_id",
    ),
    Table(
        "privacy.LegalOrder",
        "that a legal order about a random id was answered",
        "proof of who agreed to hand something out, and that the person was told",
        *(Term.LEGAL_ORDER, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "id subject_id known_to first_id second_id recipient_sha256"
            " package_sha256",
            Class.STATE: "state reason telling",
            Class.TIME: "silent_until filed_at approved_at sealed_at told_at",
        },
        subject="known_to",
    ),
    Table(
        *("privacy.LedgerLink", "salted digests of ledger entries", "noticing a changed entry"),
        *(Term.AUDIT, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "entry_id digest",
            Class.TIME: "at",
            Class.NOBODY: "id ledger number salt",
        },
    ),
    Table(
        *("privacy.Checkpoint", "signed heads of the ledgers", "noticing a changed entry"),
        *(Term.AUDIT, End.OUTLIVES, None),
        {Class.NOBODY: "id ledger first last previous chain at key_label signature"},
    ),
    Table(
        "privacy.ErasureRecipient",
        "who outside was told of an erasure",
        "telling recipients of an erasure (GDPR 19)",
        *(Term.RECEIPT, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "id erasure",
            Class.STATE: "name attempts",
            Class.TIME: "next_at confirmed_at",
        },
        subject="erasure__subject_id",
    ),
    Table(
        "privacy.SignInGrant",
        "a token of Apple's, sealed to the courier, who has it revoked",
        "telling Apple of an erasure (GDPR 19)",
        *(Term.RECEIPT, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "id subject_id",
            Class.SECRET: "capsule",
            Class.SEALED: "body",
            Class.DECLARED: "provider client",
            Class.STATE: "state key_label",
            Class.TIME: "created_at ending_at",
        },
        subject="subject_id",
    ),
    Table(
        *("privacy.Erasure", "that a random id was erased", "the receipt of an erasure"),
        *(Term.RECEIPT, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "id subject_id target_id prefix names receipt",
            Class.DECLARED: "scope",
            Class.STATE: "stage counts",
            Class.TIME: "requested_at unopenable_by proved_at",
        },
        subject="subject_id",
    ),
    Table(
        *("privacy.AuditEvent", "verbs, random ids and times", "answering who opened what"),
        *(Term.AUDIT, End.OUTLIVES, None),
        {
            Class.PSEUDONYM: "id subject_id object_id",
            Class.STATE: "verb actor reason count",
            Class.TIME: "at",
        },
        subject="subject_id",
    ),
)

# What belongs to no account.
OTHERS: Final[tuple[Table, ...]] = (
    Table(
        "privacy.FaceClaim",
        "a report that a face was used without consent, sealed",
        "answering the report",
        *(Term.FACE_CLAIM, End.BY_TERM, None),
        {
            Class.PSEUDONYM: "id",
            Class.SECRET: "capsule",
            Class.SEALED: "body",
            Class.DECLARED: "language",
            Class.STATE: "state",
            Class.TIME: "received_at due_at closed_at expires_at",
        },
    ),
    Table(
        *("privacy.RootEpoch", "the life of each root key", "keys", *_NOBODY),
        {Class.NOBODY: "label check_sha256 created_at retired_at destroyed_at"},
    ),
    Table(
        *("privacy.Pulse", "a counter", "noticing a restored backup", *_NOBODY),
        {Class.NOBODY: "id count at"},
    ),
    Table(
        *("privacy.Period", "when each periodic task ran last", "running it once", *_NOBODY),
        {Class.NOBODY: "name slot ran_at found found_at"},
    ),
    Table(
        *("privacy.Verdict", "what each role could open", "the proof"),
        *(Term.VERDICT, End.NOBODY, None),
        {Class.NOBODY: "id run_id role outcomes at"},
    ),
    Table(
        *("privacy.TransparencyReport", "a day's proof in numbers", "publishing it", *_NOBODY),
        {Class.NOBODY: "day statement key_label signature at"},
    ),
    Table(
        *("privacy.FleetKey", "public halves", "sealing", *_NOBODY),
        {Class.NOBODY: "label public published_at"},
    ),
    Table(
        *("privacy.GrantKey", "public halves", "sealing", *_NOBODY),
        {Class.NOBODY: "label public published_at"},
    ),
    Table(
        *("privacy.EvidenceKey", "public halves", "sealing", *_NOBODY),
        {Class.NOBODY: "label public published_at"},
    ),
    Table(
        *("privacy.ReceiptKey", "public halves", "verifying receipts", *_NOBODY),
        {Class.NOBODY: "label public published_at"},
    ),
    Table(
        *("privacy.ConsentDocument", "consent texts", "consent", *_NOBODY),
        {
            Class.NOBODY: "id purpose region language version text sha256 valid_days"
            " published_at retired_at"
        },
    ),
)

TABLES: Final = LIVING + OUTLIVING + OTHERS
