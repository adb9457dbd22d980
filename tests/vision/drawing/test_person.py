"""People as they are drawn: turned in space, dressed, blurred, and never more than their place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.evaluation.simulation.settings import MAX_POSE
from lfr.vision.drawing.head import cut_head
from lfr.vision.drawing.person import Clothes, Stance, draw_person
from lfr.vision.drawing.turn import LIMIT, turned
from lfr.vision.drawing.wear import WEARS, wearing

CLOTHES = Clothes(coat=(80, 60, 60), trousers=(50, 40, 40))
EYES_Y, NOSE_Y = 82, 104


@pytest.fixture(scope="module")
def head():
    """A grey head with two black eyes and a black tip of a nose, the face 100 pixels wide."""
    source = np.full((260, 220, 3), 170, np.uint8)
    for x, y in ((87, EYES_Y), (133, EYES_Y), (110, NOSE_Y)):
        source[y - 2 : y + 3, x - 2 : x + 3] = 0
    return cut_head(source, (60.0, 40.0, 100.0, 130.0))


def dark(picture, top, bottom):
    """Columns of the middles of the dark marks between two rows, left to right."""
    columns = np.flatnonzero(
        (picture[top:bottom, :, 0] < 90).any(axis=0) & (picture[top:bottom, :, 3] > 250).all(axis=0)
    )
    return [group.mean() for group in np.split(columns, np.flatnonzero(np.diff(columns) > 2) + 1)]


def nose_from_eyes(picture, head):
    """Where the nose is: 0 half-way between the eyes, 1 above one of them, as lfr.vision.quality measures yaw."""
    up = round(40 - head.face[1])
    left, right = dark(picture, EYES_Y - up - 8, EYES_Y - up + 9)
    (nose,) = dark(picture, NOSE_Y - up - 8, NOSE_Y - up + 9)
    return (nose - (left + right) / 2) / ((right - left) / 2)


def test_a_still_that_is_not_turned_is_left_alone(head):
    assert np.abs(turned(head, 0, 0).astype(int) - head.picture).max() <= 2
    assert nose_from_eyes(turned(head, 0, 0), head) == pytest.approx(0, abs=0.03)


def test_the_nose_moves_against_the_eyes_the_further_the_head_is_turned(head):
    found = [nose_from_eyes(turned(head, yaw, 0), head) for yaw in (-30, -15, 0, 15, 30)]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(0.6, abs=0.2)
    assert found[0] == pytest.approx(-found[-1], abs=0.1)


def test_heads_are_turned_no_further_than_the_settings_allow(head):
    assert LIMIT == MAX_POSE
    assert np.array_equal(turned(head, 80, 0), turned(head, LIMIT, 0))


@pytest.mark.parametrize("wear", WEARS)
def test_what_is_worn_hides_what_it_says(head, wear):
    dressed = wearing(head, wear, (30, 90, 40))
    x, y, w, h = (round(v) for v in head.face)
    changed = np.abs(dressed.picture[y : y + h, x : x + w, :3].astype(int) - head.picture[y : y + h, x : x + w, :3])
    assert (changed.max(axis=2) > 40).mean() == pytest.approx(dressed.covered, abs=0.06)
    assert 0.08 < dressed.covered < 0.55
    assert head.covered == 0


@given(
    px=st.floats(4, 300),
    x=st.floats(-400, 700),
    y=st.floats(-400, 700),
    yaw=st.floats(-90, 90),
    blur=st.floats(0.01, 12),
    smear=st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
)
def test_anybody_can_stand_anywhere(head, px, x, y, yaw, blur, smear):
    frame = np.full((240, 320, 3), 100, np.uint8)
    draw_person(frame, head, CLOTHES, Stance(px=px, x=x, y=y, yaw=yaw, blur=blur, smear=smear))
    assert frame.shape == (240, 320, 3)


def test_blur_takes_detail_away(head):
    def detail(stance):
        frame = np.full((400, 300, 3), 100, np.uint8)
        draw_person(frame, head, CLOTHES, stance)
        return np.abs(np.diff(frame[60:160, 100:200].astype(int), axis=1)).sum()

    sharp = detail(Stance(px=100, x=150, y=110))
    assert detail(Stance(px=100, x=150, y=110, blur=5)) < 0.7 * sharp
    assert detail(Stance(px=100, x=150, y=110, smear=(14, 0))) < 0.8 * sharp
