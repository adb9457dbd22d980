"""Thresholds by band: fixed for the band's upper end, never laxer than the policy."""

from __future__ import annotations

import msgspec
import pytest

from lfr.domain.errors import ConfigError
from lfr.domain.packs import Calibration
from lfr.matching.bundle import bundle_of
from lfr.matching.threshold import derive
from lfr.services import policies
from lfr.vision.packs import load_pack, pack_digest

PACK = msgspec.structs.replace(
    load_pack("embedded"),
    calibration=Calibration("test", ((-1.0, 0.2), (-4.0, 0.5), (-7.0, 0.7)), -6.0, 1000, 100_000),
)
POLICY = policies.load("demo")


def test_each_band_has_the_threshold_of_its_upper_end() -> None:
    bundle = bundle_of(PACK, pack_digest(PACK), POLICY, confirm_shots=2)
    assert tuple(one.band for one in bundle.thresholds) == POLICY.watchlist.bands
    for one in bundle.thresholds:
        derived = derive(PACK.calibration, one.band, POLICY.watchlist.target_fpir)
        assert (one.threshold, one.supported) == (derived.value, derived.supported)
    values = [one.threshold for one in bundle.thresholds]
    assert values == sorted(values)
    assert values[0] < values[-1]


@pytest.mark.rule("D2")
def test_a_configuration_may_be_stricter_and_never_laxer() -> None:
    by_policy = bundle_of(PACK, pack_digest(PACK), POLICY, confirm_shots=2)
    laxer = bundle_of(PACK, pack_digest(PACK), POLICY, confirm_shots=2, target_fpir=0.5)
    stricter = bundle_of(PACK, pack_digest(PACK), POLICY, confirm_shots=2, target_fpir=0.001)
    assert laxer == by_policy
    assert all(a.threshold > b.threshold for a, b in zip(stricter.thresholds, by_policy.thresholds, strict=True))


def test_a_score_set_outright_says_that_nothing_supports_it() -> None:
    bundle = bundle_of(PACK, pack_digest(PACK), POLICY, confirm_shots=2, fixed=0.4)
    assert {(one.threshold, one.supported) for one in bundle.thresholds} == {(0.4, False)}


def test_without_calibration_there_is_no_bundle() -> None:
    with pytest.raises(ConfigError):
        bundle_of(msgspec.structs.replace(PACK, calibration=None), "0" * 64, POLICY, confirm_shots=2)
