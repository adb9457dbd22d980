"""Places on the map (A7, C4)."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.places import is_area, metres_away, on_earth, sensitive_at
from lfr.domain.policy import SensitivePlace
from lfr.services import policies

SQUARE = ((-1.50, 53.80), (-1.49, 53.80), (-1.49, 53.81), (-1.50, 53.81))


CROSSED = ((0, 0), (1, 1), (1, 0), (0, 1))


@pytest.mark.parametrize("corners", [(), ((0, 0),), ((0, 0), (1, 1)), ((0, 0), (1, 1), (2, 2)), CROSSED, ((0, 0),) * 4])
def test_what_is_no_area(corners):
    assert not is_area(corners)
    with pytest.raises(ValueError, match="polygon"):
        metres_away(0, 0, corners)


def test_distance_in_metres():
    assert metres_away(-1.495, 53.805, SQUARE) == 0
    assert metres_away(-1.495, 53.82, SQUARE) == pytest.approx(1113, abs=2)
    east = 0.01 * 111_320 * math.cos(math.radians(53.805))
    assert metres_away(-1.48, 53.805, SQUARE) == pytest.approx(east, abs=2)


def test_on_earth():
    assert on_earth(SQUARE)
    assert not on_earth(((181.0, 0.0), *SQUARE))
    assert not on_earth(((0.0, 91.0), *SQUARE))


@pytest.mark.rule("A7")
@pytest.mark.parametrize(("moved", "found"), [(0.0, True), (0.009, True), (0.01, True), (0.0101, False), (5.0, False)])
def test_a_place_that_touches_a_sensitive_one_is_sensitive(moved, found):
    base = policies.load("uk-default")
    church = SensitivePlace("church", "Church", SQUARE)
    policy = msgspec.structs.replace(base, sensitive=msgspec.structs.replace(base.sensitive, places=(church,)))
    here = tuple((x + moved, y) for x, y in SQUARE)
    assert bool(sensitive_at(policy, here)) is found
    assert sensitive_at(policy, here[:2]) == ()


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=8))
def test_no_corners_raise(corners):
    is_area(corners)
    sensitive_at(policies.load("demo"), corners)
