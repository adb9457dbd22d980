"""A governed list for tests: a deployment under the operational policy's rules, and rows that are in order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import cv2
import msgspec
import numpy as np

from lfr.domain.plan import Plan
from lfr.domain.policy import Policy
from lfr.domain.watchlist import RowResult
from lfr.services import deployments, policies, watchlist
from lfr.vision.engine.double import DoubleEngine, double_pack, paint
from tests.support.stores import Store, new_deployment

UK = policies.load("uk-default")
PACK = double_pack()
ROW = {
    "nominal_ref": "N/1", "category": "wanted-by-court", "legal_basis": "Bail Act 1976 s.7", "action": "arrest-check",
    "reason": "Failed to appear", "evidence_ref": "W/77", "offence": "TH68001", "max_sentence_years": "7",
    "date_of_birth": "1980-05-05", "presence": "Seen here on Fridays", "approver": "insp brown",
    "review_on": "2099-12-24", "source": "custody", "lawful_hold": "wanted", "taken_on": "2024-01-01",
    "hold_review_on": "2099-01-01", "unconvicted": "no",
}  # fmt: skip


def loose(policy: Policy = UK, **parts: dict[str, Any]) -> Policy:
    """The operational rules with the floors of small painted pictures, and with parts changed."""
    parts["watchlist"] = {"picture": policies.load("demo").watchlist.picture} | parts.get("watchlist", {})
    changed = {name: msgspec.structs.replace(getattr(policy, name), **fields) for name, fields in parts.items()}
    return msgspec.structs.replace(policy, **changed)


def marker(identity: int, shift: int = 0) -> bytes:
    """A PNG with one painted face; another shift is another file."""
    canvas = np.full((200, 200, 3), 120, np.uint8)
    paint(canvas, identity, 60 + shift, 60, 80)
    return cv2.imencode(".png", canvas)[1].tobytes()


async def deployment_under(store: Store, policy: Policy) -> UUID:
    """A draft in which rows of these rules can be listed."""
    plan = Plan(title="market", force="north-force", use_case="wanted-persons", categories=("wanted-by-court",))
    made = await new_deployment(store.db, policy=policy, plan=plan, by=deployments.SYSTEM)
    return made.id


async def put(
    store: Store, deployment_id: UUID, policy: Policy, label: str, identity: int, shift: int = 0, **fields: str
) -> RowResult:
    """Enrol one person under these rules, in order but for what is changed; an empty value empties a field."""
    row = {name: cell for name, cell in (ROW | {"nominal_ref": f"N/{label}"} | fields).items() if cell}
    pictures = [(f"{label}.png", marker(identity, shift))]
    (result,) = await watchlist.enrol(
        store.db, store.vault, DoubleEngine(PACK), deployment_id, PACK, label, pictures, by="ann", policy=policy,
        fields=row,
    )  # fmt: skip
    return result
