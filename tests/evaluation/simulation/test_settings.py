import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import ConfigError
from lfr.evaluation.simulation.settings import Settings, checked


def test_the_defaults_hold_together():
    assert checked(Settings()) == Settings()
    assert Settings(seconds=30, fps=25).frames == 750
    assert Settings(seconds=0.001, fps=1).frames == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"face_px": (0.0, 50.0)}, "face_px 0:50"),
        ({"face_px": (80.0, 50.0)}, "face_px 80:50"),
        ({"face_px": (24.0, float("nan"))}, "face_px"),
        ({"face_px": (24.0, 400.0)}, "400 px do not fit"),
        ({"speed": (0.0, 1.0)}, "speed"),
        ({"light": (1.0, 0.5)}, "light"),
        ({"width": 641}, "cannot be encoded"),
        ({"people": 3, "listed": 4, "watchlist_size": 4}, "4 of 3 people"),
        ({"listed": 5, "watchlist_size": 4}, "watchlist of 4"),
        ({"people": 0}, "people"),
        ({"pose": 80.0}, "pose"),
        ({"seconds": -1.0}, "seconds"),
        ({"quality": 101}, "quality"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_with_a_hint(changed, words):
    with pytest.raises(ConfigError, match=words) as caught:
        checked(msgspec.structs.replace(Settings(), **changed))
    assert len(caught.value.message.splitlines()) == 1
    assert caught.value.hint


@given(st.floats(), st.floats())
def test_a_range_is_taken_or_refused_and_nothing_else(low, high):
    try:
        kept = checked(msgspec.structs.replace(Settings(), light=(low, high))).light
    except ConfigError:
        return
    assert 0 < kept[0] <= kept[1]
