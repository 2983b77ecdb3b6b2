"""The tables behind the promises. Every personal byte of the product is a Blob of this app."""

from privacy.models.blobs import Blob, Capsule, Lease
from privacy.models.cases import Case, CaseEntry
from privacy.models.consents import Consent, ConsentDocument, ConsentEvidence, ConsentServing
from privacy.models.erasures import Erasure, ErasureRecipient, Pulse
from privacy.models.exports import Export, ExportPart
from privacy.models.keys import (
    EvidenceKey,
    FleetKey,
    GrantKey,
    OwnerKey,
    PublishedKey,
    ReceiptKey,
    RootEpoch,
)
from privacy.models.ledgers import AuditEvent, Checkpoint, Ledger, LedgerLink
from privacy.models.notices import FaceClaim, Notice
from privacy.models.orders import LegalOrder
from privacy.models.periods import Period
from privacy.models.proofs import TransparencyReport, Verdict
from privacy.models.signins import SignInGrant

__all__ = [
    "AuditEvent",
    "Blob",
    "Capsule",
    "Case",
    "CaseEntry",
    "Checkpoint",
    "Consent",
    "ConsentDocument",
    "ConsentEvidence",
    "ConsentServing",
    "Erasure",
    "ErasureRecipient",
    "EvidenceKey",
    "Export",
    "ExportPart",
    "FaceClaim",
    "FleetKey",
    "GrantKey",
    "Lease",
    "Ledger",
    "LedgerLink",
    "LegalOrder",
    "Notice",
    "OwnerKey",
    "Period",
    "PublishedKey",
    "Pulse",
    "ReceiptKey",
    "RootEpoch",
    "SignInGrant",
    "TransparencyReport",
    "Verdict",
]
