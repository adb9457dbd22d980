import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from lfr.domain.errors import ConfigError
from lfr.domain.plan import CameraZone
from lfr.vision.zone import Zone

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
DOOR = ((0.1, 0.4), (0.3, 0.4), (0.3, 0.9), (0.1, 0.9))

share = st.integers(0, 200).map(lambda n: n / 200)
points = st.tuples(share, share)


@st.composite
def outlines(draw):
    """Any simple polygon: corners in their order around a middle."""
    around = draw(st.lists(points, min_size=3, max_size=9, unique=True))
    middle = np.mean(around, axis=0)
    corners = tuple(sorted(around, key=lambda p: np.arctan2(p[1] - middle[1], p[0] - middle[0])))
    assume(shapely.Polygon(corners).is_valid and shapely.Polygon(corners).area > 1e-3)
    return corners


def box_at(x, y, side=0.1):
    return np.array([[x - side / 2, y - side / 2, x + side / 2, y + side / 2]], np.float32) * 100


def test_without_corners_everything_is_inside():
    assert Zone(()).inside(np.zeros((3, 4), np.float32), 100, 100).tolist() == [0, 1, 2]


@pytest.mark.rule("C1")
def test_a_face_is_inside_by_its_centre():
    boxes = np.array([[10, 10, 30, 30], [45, 10, 65, 30], [40, 10, 58, 30]], np.float32)
    assert Zone(LEFT_HALF).inside(boxes, 100, 50).tolist() == [0, 2]


@pytest.mark.rule("C1")
@given(outlines(), points)
def test_a_face_is_inside_where_geometry_says_so(corners, at):
    outline = shapely.Polygon(corners)
    assume(outline.exterior.distance(shapely.Point(at)) > 1e-4)  # on the line itself, float32 decides
    assert bool(len(Zone(corners).inside(box_at(*at), 100, 100))) == outline.contains(shapely.Point(at))


@pytest.mark.rule("C2")
@given(st.lists(outlines(), min_size=1, max_size=3), points)
def test_a_face_in_any_mask_is_discarded_and_no_mask_lets_another_in(masks, at):
    spot = shapely.Point(at)
    assume(all(shapely.Polygon(mask).exterior.distance(spot) > 1e-4 for mask in masks))
    hidden = any(shapely.Polygon(mask).contains(spot) for mask in masks)
    assert bool(len(Zone((), tuple(masks)).inside(box_at(*at), 100, 100))) == (not hidden)


@pytest.mark.rule("C2")
@given(st.lists(outlines(), min_size=1, max_size=3), st.integers(20, 90), st.integers(20, 90))
def test_every_pixel_behind_a_mask_is_painted_over(masks, width, height):
    picture = np.full((height, width, 3), 200, np.uint8)
    Zone((), tuple(masks)).cover(picture)
    ys, xs = np.mgrid[:height, :width]
    centres = shapely.points((xs + 0.5) / width, (ys + 0.5) / height)
    hidden = np.logical_or.reduce([shapely.contains(shapely.Polygon(mask), centres) for mask in masks])
    assert not picture[hidden].any()


def test_what_is_not_masked_keeps_its_pixels():
    picture = np.full((100, 100, 3), 200, np.uint8)
    Zone(LEFT_HALF, (DOOR,)).cover(picture)
    assert (picture[:35] == 200).all()
    assert (picture[:, 35:] == 200).all()


@given(outlines(), outlines())
def test_the_area_is_the_zone_without_its_masks(corners, mask):
    zone = Zone(corners, (mask,))
    area = zone.area(60, 40) > 0
    ys, xs = np.mgrid[:40, :60]
    centres = shapely.points((xs + 0.5) / 60, (ys + 0.5) / 40)
    within, hidden = shapely.Polygon(corners), shapely.Polygon(mask)
    edges = np.minimum(shapely.distance(within.exterior, centres), shapely.distance(hidden.exterior, centres))
    clear = edges > 1.5 / 40  # a pixel on an edge may be counted either way
    assert (area == shapely.contains(within, centres) & ~shapely.contains(hidden, centres))[clear].all()


@pytest.mark.parametrize(
    "corners",
    [((0.1, 0.1),), ((0.1, 0.1), (0.9, 0.9)), ((0, 0), (0.5, 0.5), (1, 1)), ((0, 0), (1, 1), (1, 0), (0, 1))],
)
def test_an_outline_that_encloses_nothing_or_crosses_itself_is_refused(corners):
    with pytest.raises(ConfigError):
        Zone(corners)
    with pytest.raises(ConfigError):
        Zone((), (corners,))


@pytest.mark.rule("C1")
def test_a_planned_camera_without_a_zone_recognises_nowhere():
    with pytest.raises(ConfigError):
        Zone.of(CameraZone("north", ()))
    assert not Zone.of(CameraZone("north", LEFT_HALF, (DOOR,))).holds(0.2, 0.6)
