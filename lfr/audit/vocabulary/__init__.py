"""Every kind of log entry, by noun. A kind that is not here cannot be written."""

from lfr.audit.vocabulary import alerts, deployment, evidence, ledger, retention, system, users, watchlist
from lfr.audit.vocabulary.base import Kinds

KINDS: Kinds = {
    **deployment.KINDS,
    **system.KINDS,
    **alerts.KINDS,
    **watchlist.KINDS,
    **users.KINDS,
    **retention.KINDS,
    **evidence.KINDS,
    **ledger.KINDS,
}
"""Every kind of entry and what it carries."""

CREATING: frozenset[str] = frozenset(
    kind for kind, payload in KINDS.items() if "objects" in payload.__struct_fields__
) - {"objects.deleted", "hold.placed"}
"""Kinds in whose transaction stored objects come into being; `objects` names them (G6)."""

WITHHELD: dict[str, frozenset[str]] = {"alert.raised": frozenset({"score", "threshold", "gap"})}
"""Fields that the event stream leaves out: a reviewer judges the pair before seeing a number (E3)."""
