"""The zone of recognition and the masks within it: what lies outside is discarded before anything is recognised.

A face belongs where the centre of its box lies (C1). The centre, and not an overlap: each face is then either in or
out, two adjoining zones never both claim it, and no large face reaches in from outside by a corner. Masks (C2) are
painted over in the frame itself before anything looks at it, so what they hide reaches no detector, no crop and no
picture that leaves the camera; and a face whose centre lies in one is discarded like one outside the zone.
"""

from __future__ import annotations

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from lfr.domain.errors import ConfigError
from lfr.domain.faces import Image
from lfr.domain.plan import CameraZone

Corners = tuple[tuple[float, float], ...]


class Zone:
    """A polygon of x, y in 0..1 of the picture, and masks within it; no corners = the whole picture.

    Raises ConfigError for an outline of one or two corners, without an area, or one that crosses itself.
    """

    def __init__(self, corners: Corners, masks: tuple[Corners, ...] = ()) -> None:
        self._outline = _polygon(corners, "zone") if corners else None
        self._masks = tuple(_polygon(mask, "mask") for mask in masks)

    @classmethod
    def of(cls, planned: CameraZone) -> Zone:
        """The zone that was planned and authorised. Raises ConfigError; there, no corners are not the whole picture."""
        if not planned.zone:
            raise ConfigError(f"camera {planned.camera} has no zone", hint="draw at least three corners")
        return cls(planned.zone, planned.masks)

    def inside(self, boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.intp]:
        """Indices of the boxes (float32 (n, 4) x1 y1 x2 y2, pixels) whose centre lies in the zone and in no mask."""
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / np.array([width, height], np.float32)
        return np.array([i for i, centre in enumerate(centres) if self.holds(*centre.tolist())], np.intp)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point, 0..1 of the picture, lies in the zone and in no mask. The zone's border belongs to it."""
        if self._outline is not None and cv2.pointPolygonTest(self._outline, (x, y), measureDist=False) < 0:
            return False
        return all(cv2.pointPolygonTest(mask, (x, y), measureDist=False) < 0 for mask in self._masks)

    def cover(self, picture: Image) -> None:
        """Paint the masks over, in place: black, and a pixel wider than drawn."""
        for mask in self._masks:
            points = _pixels(mask, picture)
            cv2.fillPoly(picture, [points], (0, 0, 0))
            cv2.polylines(picture, [points], isClosed=True, color=(0, 0, 0), thickness=3)

    def area(self, width: int, height: int) -> NDArray[np.uint8]:
        """255 where a picture of this size may be recognised in, 0 elsewhere; uint8 (height, width)."""
        shape = np.zeros((height, width), np.uint8)
        if self._outline is None:
            shape[:] = 255
        else:
            cv2.fillPoly(shape, [_pixels(self._outline, shape)], 255)
        for mask in self._masks:
            cv2.fillPoly(shape, [_pixels(mask, shape)], 0)
        return shape


def _polygon(corners: Corners, what: str) -> NDArray[np.float32]:
    if len(corners) < 3 or not shapely.Polygon(corners).is_valid:
        raise ConfigError(
            f"a {what} of {len(corners)} corners encloses nothing or crosses itself",
            hint="give at least three corners, in their order around it",
        )
    return np.array(corners, np.float32).reshape(-1, 1, 2)


def _pixels(outline: NDArray[np.float32], picture: NDArray[np.uint8]) -> NDArray[np.int32]:
    height, width = picture.shape[:2]
    return np.rint(outline * np.array([width, height], np.float32)).astype(np.int32)
