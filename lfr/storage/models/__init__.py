"""All tables. Faces, templates, labels and details stand here sealed only (lfr.storage.vault)."""

from lfr.storage.models.alerts import Alert, AlertPicture
from lfr.storage.models.audit import AuditEntry, AuditOutbox, AuditSequence
from lfr.storage.models.deployment import Deployment, Document, SignedDecision, SignEvidence
from lfr.storage.models.retention import ClockMark, EvidenceHold, LedgerEntry, LedgerKey, LedgerReply, StoredObject
from lfr.storage.models.users import OfficerKey, Session, User
from lfr.storage.models.watchlist import WatchlistEntry, WatchlistImage

__all__ = [
    "Alert",
    "AlertPicture",
    "AuditEntry",
    "AuditOutbox",
    "AuditSequence",
    "ClockMark",
    "Deployment",
    "Document",
    "EvidenceHold",
    "LedgerEntry",
    "LedgerKey",
    "LedgerReply",
    "OfficerKey",
    "Session",
    "SignEvidence",
    "SignedDecision",
    "StoredObject",
    "User",
    "WatchlistEntry",
    "WatchlistImage",
]
