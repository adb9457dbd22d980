import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import ConfigError
from lfr.domain.packs import Calibration, Pack
from lfr.matching.threshold import derive, for_watchlist

CALIBRATION = Calibration(
    method="test",
    fmr=((-2.0, 0.20), (-4.0, 0.30), (-6.0, 0.40)),
    measured_to=-4.0,
    transits=1000,
    comparisons=1_000_000,
)


def test_a_known_point_is_met():
    # One in a hundred transits at 100 entries is one in ten thousand comparisons.
    assert derive(CALIBRATION, 100, 1 - (1 - 1e-4) ** 100).value == pytest.approx(0.30, abs=1e-4)


def test_beyond_the_data_it_says_so():
    assert derive(CALIBRATION, 10, 0.01).supported
    far = derive(CALIBRATION, 10_000, 0.001)
    assert not far.supported
    assert "extrapolated" in far.basis
    assert far.value > 0.40


def test_few_transits_support_no_rare_claim_even_where_comparisons_are_many():
    few = msgspec.structs.replace(CALIBRATION, transits=100, comparisons=1_000_000)
    found = derive(few, 10, 0.01)
    assert not found.supported
    assert "fewer transits" in found.basis


def test_a_threshold_lies_in_its_interval():
    bounds = ((-2.0, 0.19, 0.22), (-4.0, 0.28, 0.33), (-6.0, 0.36, 0.46))
    found = derive(msgspec.structs.replace(CALIBRATION, bounds=bounds), 100, 0.01)
    assert found.low < found.value < found.high
    assert (derive(CALIBRATION, 100, 0.01).low, derive(CALIBRATION, 100, 0.01).high) == (None, None)


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.floats(1e-5, 0.2), st.floats(1e-5, 0.2))
def test_longer_lists_and_stricter_targets_never_lower_the_threshold(n, m, p, q):
    small, large = sorted((n, m))
    strict, loose = sorted((p, q))
    assert derive(CALIBRATION, large, strict).value >= derive(CALIBRATION, small, loose).value - 1e-4


@given(st.integers(1, 10_000), st.floats(1e-4, 0.2))
def test_the_rate_it_interpolates_gives_back_the_target(n, target):
    found = derive(CALIBRATION, n, target).value
    rate = 10 ** (-2 - (found - 0.20) / 0.05)
    assert 1 - (1 - rate) ** n == pytest.approx(target, rel=0.02) or rate >= 1 or math.isclose(found, 0, abs_tol=1e-3)


def test_without_calibration_or_threshold_nothing_can_start():
    pack = _pack()
    with pytest.raises(ConfigError, match="no calibration"):
        for_watchlist(pack, 5, target_fpir=None, fixed=None)
    assert for_watchlist(pack, 5, target_fpir=None, fixed=0.4).value == 0.4


def _pack() -> Pack:
    raw = (Path(__file__).parents[2] / "configs" / "packs" / "research.yaml").read_bytes()
    return msgspec.structs.replace(msgspec.yaml.decode(raw, type=Pack), calibration=None)
