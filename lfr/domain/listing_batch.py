"""The rows of one import judged together: what one row leaves out another may say, and no two may contradict.

A category or source outside the policy's closed lists refuses the whole batch (B1, B11); everything else its own row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from lfr.domain.errors import WatchlistError
from lfr.domain.listing import FIELDS, Listing, read
from lfr.domain.listing_rules import batch_faults, filled, row_faults, warnings
from lfr.domain.policy import Policy
from lfr.domain.watchlist import Fault

OF_THE_PERSON = tuple(name for name, spec in FIELDS.items() if spec.of != "picture")


@dataclass(frozen=True, slots=True)
class Judged:
    """One row: what it lists when nothing is wrong with it."""

    listing: Listing
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass
class _Said:
    """What the rows so far say of each label, and under which label each nominal reference stands."""

    of_label: dict[str, dict[str, str]] = field(default_factory=dict)
    label_of: dict[str, str] = field(default_factory=dict)

    def add(self, label: str, raw: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
        """The row with what earlier rows of its label said of the person, and where it contradicts them."""
        known, faults = self.of_label.setdefault(label, {}), []
        for name in OF_THE_PERSON:
            given = (raw.get(name) or "").strip()
            if not given:
                continue
            if known.setdefault(name, given) != given:
                faults.append(Fault("conflicting", f"{name} differs from an earlier row of this label", "B2"))
        nominal = (raw.get("nominal_ref") or "").strip()
        if nominal and self.label_of.setdefault(nominal, label) != label:
            faults.append(Fault("conflicting", "this nominal reference stands under another label", "B7"))
        return {**raw, **known}, faults


def judge(rows: Sequence[tuple[str, Mapping[str, str]]], policy: Policy, on: date, *, placed: bool) -> list[Judged]:
    """What becomes of each (label, fields), in order. placed: the use case itself says where people are (A5).

    Raises WatchlistError when a row is outside the closed lists: then nothing of the import may be used.
    """
    said, judged, refused = _Said(), [], []
    for number, (label, raw) in enumerate(rows, start=1):
        whole, faults = said.add(label, raw)
        listing, unread = read(whole)
        listing = filled(listing, policy)
        refused += [(number, fault) for fault in batch_faults(listing, policy)]
        faults += [*unread, *row_faults(listing, policy, on, placed=placed)]
        judged.append(Judged(listing, tuple(faults), warnings(listing, policy, on)))
    if refused:
        number, fault = refused[0]
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise WatchlistError(
            f"nothing was imported: row {number}{more}: {fault.detail} ({fault.rule})",
            hint="a list with entries outside the policy is refused whole; see `lfr policy show` for what it allows",
        )
    return judged
