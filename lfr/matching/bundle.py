"""The bundle of a pack under a policy: one threshold for each band of list sizes, so that a growing list moves none."""

from __future__ import annotations

from lfr.domain.bundle import BandThreshold, Bundle
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.matching.threshold import for_watchlist


def bundle_of(
    pack: Pack,
    pack_digest: str,
    policy: Policy,
    *,
    confirm_shots: int,
    target_fpir: float | None = None,
    fixed: float | None = None,
    certificate: str | None = None,
) -> Bundle:
    """What recognises under this policy. Each band's threshold is the one for its upper end (B10).

    target_fpir: per transit; a configuration may be stricter than the policy, never laxer. fixed: a score set outright,
    for measurements; it is marked as unsupported. Raises ConfigError without calibration and fixed score.
    """
    budget = policy.watchlist.target_fpir
    target = budget if target_fpir is None else min(target_fpir, budget)
    found = [(band, for_watchlist(pack, band, target_fpir=target, fixed=fixed)) for band in policy.watchlist.bands]
    return Bundle(
        pack=pack.name,
        pack_digest=pack_digest,
        use=pack.use,
        thresholds=tuple(BandThreshold(band, one.value, one.basis, one.supported) for band, one in found),
        confirm_shots=confirm_shots,
        certificate=certificate,
    )
