"""How old a listed person is, and which rules for the young follow from it (B8)."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from lfr.domain.policy import Ages

AgeBand = Literal["adult", "minor", "young-child", "unknown"]
AGE_BANDS: tuple[AgeBand, ...] = get_args(AgeBand)


def age_on(born: date, on: date) -> int:
    """Whole years, reached at the start of the birthday; born on 29 February, on 1 March of a common year.

    The later of the two possible days, so that a child's protection never ends early. Negative before birth.
    """
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def band_of(born: date | None, on: date, ages: Ages) -> AgeBand:
    """The band of a person on a day; `unknown` without a date of birth."""
    if born is None:
        return "unknown"
    age = age_on(born, on)
    if age < ages.young_child:
        return "young-child"
    return "minor" if age < ages.adult else "adult"


def as_minor(band: AgeBand, ages: Ages) -> bool:
    """Whether the rules for the young hold for a band under this policy."""
    return band in {"minor", "young-child"} or (band == "unknown" and ages.unknown_is_minor)
