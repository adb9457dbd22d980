"""The deployment that `lfr bench preflight` measures: a long list, earlier authorities, real signatures."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import msgspec

from lfr.domain.authority import ListApproval
from lfr.domain.bundle import BandThreshold, Bundle
from lfr.domain.gates import WANTED, SystemFacts, Wanted, missing
from lfr.domain.plan import CameraZone, Place, Plan, Reasons
from lfr.domain.policy import Policy
from lfr.domain.signing import instant
from lfr.services import authorities, deployments, drafts, facts, listed, officers, policies, users
from lfr.services import registrar as registrars
from lfr.services.terms import Terms
from lfr.storage.columns import now
from lfr.storage.database import Database, migrate
from lfr.storage.models import Deployment, WatchlistEntry, WatchlistImage
from lfr.storage.node import new_node

EARLIER = 50
_FORCE = "bench"
_TEMPLATE_BYTES = 2 * 512 + 32
_BATCH = 2000
_WORDS = (
    "Officers have reported that people wanted on warrant meet at this place before the market opens, and nothing less "
    "intrusive has found them: visits to known addresses, appeals, and patrols since the spring. "
) * 6


@dataclass(frozen=True, slots=True)
class _Case:
    db: Database
    id: UUID
    policy: Policy
    bundle: Bundle
    system: SystemFacts
    at: datetime


async def measure(entries: int, repeats: int, url: str | None, tell: Callable[[str], None]) -> dict[str, Any]:
    """Median seconds of gathering and judging for each step, over so many repeats.

    url: None = SQLite in a folder of its own; another database must be empty.
    """
    with tempfile.TemporaryDirectory(prefix="lfr-bench-") as folder:
        where = url or f"sqlite+aiosqlite:///{Path(folder) / 'lfr.db'}"
        await migrate(where)
        db = Database(where)
        try:
            tell(f"building a deployment of {entries} entries")
            case = await _build(db, Path(folder), entries)
            tell(f"{len(WANTED)} steps, {repeats} times each")
            return {"entries": entries, "earlier": EARLIER, "database": db.dialect, **await _timed(case, repeats)}
        finally:
            await db.dispose()


async def _timed(case: _Case, repeats: int) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for wanted in WANTED:
        taken = [await _seconds(_preflight(case, wanted)) for _ in range(repeats)]
        said[f"{wanted.replace('-', '_')}_s"] = round(median(taken), 4)
    said["missing"] = [f"{one.rule}: {one.what}" for one in await _preflight(case, "go-live") if one.blocks]
    return said


async def _seconds(work: Awaitable[Any]) -> float:
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


async def _preflight(case: _Case, wanted: Wanted) -> Any:
    found = await facts.gather(case.db, case.id, policy=case.policy, bundle=case.bundle, system=case.system, at=case.at)
    return missing(found, wanted)


async def _build(db: Database, folder: Path, entries: int) -> _Case:
    at = now() + timedelta(seconds=30)
    policy = msgspec.structs.replace(
        policies.load("uk-default"), documents=(), people=(), signs=policies.load("demo").signs
    )
    registrar = registrars.local(new_node(folder / "keys"), _FORCE)
    password = await users.add_user(db, "officer", "authorising-officer", rank="superintendent", must_change=False)
    signer = await officers.signer(db, registrar, "officer", password)
    bands = tuple(BandThreshold(band, 0.5, "bench", True) for band in policy.watchlist.bands)
    bundle = Bundle("bench", "0" * 64, "research", bands, 2)
    await _earlier(db, policy, at)
    row = await _draft(db, policy, at, "The next deployment")
    await _list(db, row.id, entries, at)
    system = SystemFacts(
        _FORCE,
        registrar.public,
        "research",
        ("north",),
        clock_ok=True,
        writer_ok=True,
        storage_ok=True,
        suspended=False,
        ledger_ok=True,
    )
    terms = Terms(policy, bundle, system)
    row = await deployments.submit(db, row.id, terms=terms, by=deployments.SYSTEM)
    authority = drafts.authorisation(row, policy, "officer", at=at)
    await authorities.authorise(db, row.id, signer.endorse(authority), terms=terms)
    async with db.session() as session:
        found = await listed.list_digest(session, row.id)
    band = policy.band_for(entries)
    approval = ListApproval(row.id, "officer", instant(at), found.digest, found.entries, band or 0)
    await authorities.approve_list(db, row.id, signer.endorse(approval), terms=terms)
    return _Case(db, row.id, policy, bundle, system, at)


async def _draft(db: Database, policy: Policy, at: datetime, title: str) -> Deployment:
    here = ((-1.50, 53.80), (-1.499, 53.80), (-1.499, 53.801))
    zone = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.9))
    plan = Plan(
        title=title,
        force=_FORCE,
        use_case="wanted-persons",
        categories=("wanted-by-court",),
        reasons=Reasons(*(f"{title}. {_WORDS}" for _ in range(6))),
        place=Place("Bench", here),
        starts_at=at - timedelta(minutes=1),
        ends_at=at + timedelta(hours=6),
        cameras=(CameraZone("north", zone),),
        people={"authorising-officer": ("officer",)},
        critical_threat=_WORDS,
    )
    return await deployments.make(
        db,
        system="bench",
        mode="research",
        pack="bench",
        pack_digest="0" * 64,
        policy=policy,
        plan=plan,
        by=deployments.SYSTEM,
    )


async def _earlier(db: Database, policy: Policy, at: datetime) -> None:
    made = [await _draft(db, policy, at, f"Deployment {number}") for number in range(EARLIER)]
    async with db.transaction() as session:
        for one in made:
            row = await session.get(Deployment, one.id)
            if row is not None:
                row.state, row.live_at, row.ended_at = "closed", at, at
                row.closed_at = row.review_at = row.record_at = at


async def _list(db: Database, deployment_id: UUID, entries: int, at: datetime) -> None:
    due = at.date() + timedelta(days=30)
    for first in range(0, entries, _BATCH):
        async with db.transaction() as session:
            for _ in range(first, min(first + _BATCH, entries)):
                entry = WatchlistEntry(
                    deployment_id=deployment_id,
                    label_sealed=None,
                    label_mac=uuid4().bytes,
                    category="wanted-by-court",
                    action="arrest-check",
                    age_band="adult",
                    placed=True,
                    max_sentence_years=5.0,
                    status_at=at,
                    checked_at=at,
                    review_on=due,
                    added_by="bench",
                )
                session.add(entry)
                session.add(
                    WatchlistImage(
                        deployment_id=deployment_id,
                        entry_id=entry.id,
                        template_sealed=secrets.token_bytes(_TEMPLATE_BYTES),
                        dim=512,
                        picture_sealed=secrets.token_bytes(8192),
                        picture_mac=uuid4().bytes,
                        face_px=90.0,
                        sharpness=50.0,
                        score=0.9,
                        source="custody",
                        lawful_hold="convicted",
                        hold_review_on=due,
                    )
                )
