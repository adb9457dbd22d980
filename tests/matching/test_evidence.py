"""What a calibration can show, and the cap on a list's size that follows from it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import ConfigError, EvidenceTooThin
from lfr.domain.packs import Calibration
from lfr.matching.evidence import evidence_for, fmr_bound, largest_list, require_evidence

CALIBRATION = Calibration(
    method="test",
    fmr=((-2.0, 0.20), (-4.0, 0.30), (-6.0, 0.40)),
    measured_to=-4.0,
    transits=2600,
    comparisons=2600 * 10_000,
    upper=((-1.9, 0.20), (-3.8, 0.30), (-6.9, 0.40)),
)


@pytest.mark.rule("D2")
def test_a_claim_beyond_the_evidence_is_refused_in_words():
    with pytest.raises(EvidenceTooThin) as refused:
        require_evidence(CALIBRATION, 10_000, 1 / 6000)
    assert refused.value.message == (
        "to show 1 in 6,000 at 10,000 entries and 95 % confidence needs about 17,973 error-free transits; "
        "this measurement has only 2,600"
    )
    assert require_evidence(CALIBRATION, 10_000, 1 / 500).supported


def test_a_longer_list_than_was_searched_needs_more():
    within, beyond = (evidence_for(CALIBRATION, entries, 1 / 1000).needed for entries in (500, 20_000))
    assert within == 2995
    assert beyond == pytest.approx(2 * within, abs=2)


@pytest.mark.rule("B10")
def test_the_cap_is_the_target_over_the_upper_bound():
    assert largest_list(CALIBRATION, 0.30, 1e-3) == pytest.approx(1e-3 / 10**-3.8, abs=1)
    assert largest_list(CALIBRATION, 0.35, 1e-3) == largest_list(CALIBRATION, 0.30, 1e-3)
    assert largest_list(CALIBRATION, 0.40, 1e-3) > 1000 * largest_list(CALIBRATION, 0.30, 1e-3)
    assert largest_list(CALIBRATION, 0.99, 1e-3) == largest_list(CALIBRATION, 0.40, 1e-3)
    assert largest_list(CALIBRATION, 0.10, 1e-3) == 0


@pytest.mark.rule("B10")
@given(st.floats(0, 1), st.floats(0, 1), st.floats(1e-6, 0.5), st.floats(1e-6, 0.5))
def test_a_lower_threshold_or_a_stricter_target_never_lengthens_the_list(one, other, target, stricter):
    low, high = sorted((one, other))
    strict, loose = sorted((target, stricter))
    assert largest_list(CALIBRATION, low, loose) <= largest_list(CALIBRATION, high, loose)
    assert largest_list(CALIBRATION, high, strict) <= largest_list(CALIBRATION, high, loose)


@pytest.mark.rule("B10")
def test_a_calibration_without_bounds_caps_nothing_and_says_so():
    with pytest.raises(ConfigError, match="no upper bounds"):
        fmr_bound(msgspec.structs.replace(CALIBRATION, upper=()), 0.3)
