"""Places on the map: whether a polygon encloses anything, what it touches, how far away a point is. WGS 84, degrees."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shapely import Point, Polygon
from shapely.errors import ShapelyError

from lfr.domain.policy import Policy, SensitivePlace

Corners = Sequence[tuple[float, float]]
"""(longitude, latitude) pairs; or x, y of a picture where only the shape matters."""

_METRES_A_DEGREE = 111_320.0


def is_area(corners: Corners) -> bool:
    """Whether the corners make a polygon: three or more, not crossing itself, not flat."""
    shape = _shape(corners)
    return shape is not None and bool(shape.is_valid) and float(shape.area) > 0


def on_earth(corners: Corners) -> bool:
    """Whether all corners are longitudes and latitudes."""
    return all(-180 <= longitude <= 180 and -90 <= latitude <= 90 for longitude, latitude in corners)


def sensitive_at(policy: Policy, corners: Corners) -> tuple[SensitivePlace, ...]:
    """The policy's sensitive places that a polygon touches (A7). A polygon that is none touches nothing."""
    here = _shape(corners)
    if here is None or not is_area(corners):
        return ()
    found = []
    for place in policy.sensitive.places:
        shape = _shape(place.polygon)
        if shape is not None and here.intersects(shape):
            found.append(place)
    return tuple(found)


def metres_away(longitude: float, latitude: float, corners: Corners) -> float:
    """Metres from a point to the polygon, 0 within it. Raises ValueError when the corners are none.

    On a plane that touches the earth at the point: a few metres off at ten kilometres, which is far enough.
    """
    if not is_area(corners):
        raise ValueError("the place has no polygon")
    across = _METRES_A_DEGREE * math.cos(math.radians(latitude))
    flat = Polygon([((x - longitude) * across, (y - latitude) * _METRES_A_DEGREE) for x, y in corners])
    return float(flat.distance(Point(0, 0)))


def _shape(corners: Corners) -> Polygon | None:
    if len(corners) < 3:
        return None
    try:
        return Polygon(corners)
    except (ShapelyError, ValueError):
        return None
