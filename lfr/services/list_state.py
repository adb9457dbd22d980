"""How a stored list stands: the facts that the gates ask for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.list_digest import digest_of
from lfr.domain.list_facts import ListFacts, n_max, stale_before, years_before
from lfr.domain.policy import Policy
from lfr.services import listed
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage

ENTRY, IMAGE = WatchlistEntry, WatchlistImage
LIVING = col(ENTRY.revoked_at).is_(None)


async def governance(
    db: Database, deployment_id: UUID, policy: Policy, at: datetime, *, fmr_upper: float | None = None
) -> ListFacts:
    """The facts about a list as it would stand at `at`, in four short queries.

    fmr_upper: the certified upper bound of the false match rate of one comparison; None without a certificate (B10).
    """
    async with db.session() as session:
        return await governance_within(session, deployment_id, policy, at, fmr_upper=fmr_upper)


async def governance_within(
    session: AsyncSession, deployment_id: UUID, policy: Policy, at: datetime, *, fmr_upper: float | None = None
) -> ListFacts:
    """As `governance`, in the caller's session."""
    counts = _entry_counts(policy, at)
    sums = [func.coalesce(func.sum(case((what, 1), else_=0)), 0) for what in counts.values()]
    totals = _of_living(deployment_id, func.count(col(ENTRY.id)), func.min(_status()), *sums)
    row = (await session.exec(totals)).one()
    entries, oldest, found = row[0], row[1], dict(zip(counts, row[2:], strict=True))
    groups = _of_living(deployment_id, col(ENTRY.category), col(ENTRY.age_band), func.count(col(ENTRY.id))).group_by(
        col(ENTRY.category), col(ENTRY.age_band)
    )
    by_category: dict[str, int] = {}
    by_age_band: dict[str, int] = {}
    for category, band, count in (await session.exec(groups)).all():
        by_category[category] = by_category.get(category, 0) + count
        by_age_band[band] = by_age_band.get(band, 0) + count
    images, overheld, foreign = await _image_counts(session, deployment_id, policy, at.date())
    rules = policy.watchlist
    signed = await listed.kept_leaves(session, deployment_id)
    return ListFacts(
        at=at,
        entries=entries,
        images=images,
        outside=int(found.pop("outside")) + foreign,
        overheld=overheld,
        n_max=None if fmr_upper is None else n_max(rules.target_fpir, fmr_upper),
        cap=rules.cap,
        band=policy.band_for(entries),
        digest=digest_of(signed),
        oldest_status=oldest,
        by_category=by_category,
        by_age_band=by_age_band,
        **{name: int(count) for name, count in found.items()},
    )


def _status() -> ColumnElement[datetime]:
    return func.coalesce(col(ENTRY.status_at), col(ENTRY.added_at))


def _entry_counts(policy: Policy, at: datetime) -> dict[str, ColumnElement[bool]]:
    on, ages, rules = at.date(), policy.ages, policy.watchlist
    young = ["minor", "young-child", *(["unknown"] if ages.unknown_is_minor else [])]
    minor = col(ENTRY.age_band).in_(young)
    undecided = col(ENTRY.special_decision).is_(None)
    allowed = [
        and_(col(ENTRY.category) == one.code, col(ENTRY.action).in_(one.actions))
        for one in policy.categories
        if not one.disabled
    ]
    welfare = [one.code for one in policy.actions if one.welfare]
    never = col(ENTRY.id).is_(None)
    return {
        "outside": ~or_(*allowed) if allowed else ~never,
        "stale": _status() < stale_before(policy, at),
        "unchecked": col(ENTRY.checked_at).is_(None) if rules.second_check else never,
        "expired": or_(col(ENTRY.review_on) < on, col(ENTRY.expires_on) < on),
        "unplaced": ~col(ENTRY.placed),
        "minors": minor,
        "minors_undecided": and_(minor, undecided),
        "children_unapproved": and_(
            col(ENTRY.age_band) == "young-child", or_(undecided, col(ENTRY.special_approval).is_(None))
        ),
        "low_undecided": and_(col(ENTRY.max_sentence_years) < rules.min_max_sentence_years, undecided),
        "unsafe": and_(col(ENTRY.vulnerable), col(ENTRY.action).not_in(welfare)),
        "pending": col(ENTRY.leaf).is_(None),
        "alike": col(ENTRY.alike).is_not(None),
    }


async def _image_counts(session: AsyncSession, deployment_id: UUID, policy: Policy, on: date) -> tuple[int, int, int]:
    """Images, entries with one that is held too long, entries with one of a source that is not allowed."""
    oldest = years_before(on, policy.watchlist.picture.unconvicted_max_years)
    held = or_(col(IMAGE.hold_review_on) < on, and_(col(IMAGE.unconvicted), col(IMAGE.taken_on) < oldest))
    foreign = col(IMAGE.source).not_in([one.code for one in policy.sources])
    what = (
        func.count(col(IMAGE.id)),
        func.count(case((held, col(IMAGE.entry_id))).distinct()),
        func.count(case((foreign, col(IMAGE.entry_id))).distinct()),
    )
    query = _of_living_images(deployment_id, *what)
    images, overheld, outside = (await session.exec(query)).one()
    return images, overheld, outside


def _of_living_images(deployment_id: UUID, *what: Any) -> Any:
    return (
        select(*what)
        .select_from(IMAGE)
        .join(ENTRY, col(ENTRY.id) == col(IMAGE.entry_id))
        .where(col(IMAGE.deployment_id) == deployment_id, LIVING)
    )


def _of_living(deployment_id: UUID, *what: Any) -> Any:
    return select(*what).where(col(ENTRY.deployment_id) == deployment_id, LIVING)
