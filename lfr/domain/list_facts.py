"""What the gates ask about a list: how many of its entries are in order, how old it is, how many it may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction

from lfr.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class ListFacts:
    """Counts of living entries at one moment; what is not in order must be 0 before the list may be used.

    entries, images: on the list. outside: of a category, action or picture source that the policy does not allow (B1,
    B11). stale: status not confirmed within the policy's hours (B4). unchecked: not yet confirmed by a second person
    (B7). expired: past their review or expiry date (B2). overheld: with a picture past its review or past the time for
    people who were not convicted (B5). unplaced: without a reason to expect the person at the place (A5). minors:
    under 18, or of unknown age under a policy that takes them for minors. minors_undecided, children_unapproved: of
    those, without the signed decision, or for the youngest without the second approval (B8). low_undecided: below the
    seriousness floor without a second signature (B3). unsafe: vulnerable people under an action that is no welfare
    action (B9). alike: flagged as much alike to another entry (B7), to be shown, not to be mended.
    pending: not signed for yet, so not matched either. digest: of the entries that were signed for, as their rows say.
    n_max: the most entries that the budget allows (B10), None where no certificate says so. oldest_status: the oldest
    confirmation, None on an empty list. by_category, by_age_band: entries, for the published record.
    """

    at: datetime
    entries: int = 0
    images: int = 0
    outside: int = 0
    stale: int = 0
    unchecked: int = 0
    expired: int = 0
    overheld: int = 0
    unplaced: int = 0
    minors: int = 0
    minors_undecided: int = 0
    children_unapproved: int = 0
    low_undecided: int = 0
    unsafe: int = 0
    alike: int = 0
    pending: int = 0
    n_max: int | None = None
    cap: int = 0
    band: int | None = None
    digest: str = ""
    oldest_status: datetime | None = None
    by_category: dict[str, int] = field(default_factory=dict)
    by_age_band: dict[str, int] = field(default_factory=dict)

    @property
    def over_budget(self) -> int:
        """How many entries too many there are (B10)."""
        most = self.cap if self.n_max is None else min(self.cap, self.n_max)
        return max(0, self.entries - most)


def n_max(target_fpir: float, fmr_upper: float) -> int:
    """The most entries for which N x FMR stays within the budget per transit (B10).

    fmr_upper: upper 95 % bound of the certified false match rate of one comparison at the threshold in force. The sum
    bound is used: 1 - (1 - FMR)^N never exceeds N x FMR. Raises ValueError outside 0..1.
    """
    if not (0 < target_fpir < 1 and 0 < fmr_upper <= 1):
        raise ValueError("rates lie between 0 and 1")
    # Decimal digits as written, so that 0.00001 / 0.0000000005 is 20,000 and not one less.
    return int(Fraction(repr(target_fpir)) // Fraction(repr(fmr_upper)))


def stale_before(policy: Policy, at: datetime) -> datetime:
    """A status confirmed earlier than this is stale at `at`; one confirmed exactly then is not (B4)."""
    return at - timedelta(hours=policy.watchlist.max_age_hours)


def years_before(on: date, years: float) -> date:
    """The day so many years before; of 29 February the 28th where there is none. Parts of a year count 365.25 days."""
    whole = int(years)
    year = max(on.year - whole, 1)
    try:
        then = on.replace(year=year)
    except ValueError:
        then = on.replace(year=year, day=28)
    return then - timedelta(days=round((years - whole) * 365.25))
