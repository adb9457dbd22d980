"""How good a shot of a face is: size, pose from landmarks, sharpness, exposure.

Nothing here says who somebody is or what they are like; it says whether a template made from the shot can be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Alignment, Detections, Image
from lfr.vision.align import eyes_nose


@dataclass(frozen=True, slots=True)
class Geometry:
    """What the landmarks alone tell, for all faces of one frame; cheap enough for every frame.

    face_px: float32 (n,), box width, pixels of the frame. yaw: float32 (n,), 0 = frontal, about 1 = nose above an eye.
    roll: float32 (n,), radians. inside: bool (n,), the whole box lies in the picture.
    """

    face_px: NDArray[np.float32]
    yaw: NDArray[np.float32]
    roll: NDArray[np.float32]
    inside: NDArray[np.bool_]

    @property
    def weight(self) -> NDArray[np.float32]:
        """How much a shot counts in a fused template: its size, less the more it is turned. float32 (n,)."""
        return np.asarray(self.face_px * np.clip(1.25 - self.yaw, 0.25, 1.0), np.float32)


def geometry(faces: Detections, alignment: Alignment, width: int, height: int) -> Geometry:
    """Size and pose of each face of a frame of width x height pixels."""
    boxes = faces.boxes
    left, right, nose = np.moveaxis(eyes_nose(faces.points, alignment), 1, 0)
    across = right - left
    eye_distance = np.maximum(np.linalg.norm(across, axis=1), 1e-3)
    along = ((nose - (left + right) / 2) * across).sum(axis=1) / eye_distance
    inside = (boxes[:, 0] >= 0) & (boxes[:, 1] >= 0) & (boxes[:, 2] <= width) & (boxes[:, 3] <= height)
    return Geometry(
        face_px=(boxes[:, 2] - boxes[:, 0]).astype(np.float32),
        yaw=(2.0 * np.abs(along) / eye_distance).astype(np.float32),
        roll=np.arctan2(across[:, 1], across[:, 0]).astype(np.float32),
        inside=inside,
    )


def sharpness(crop: Image) -> float:
    """Variance of the Laplacian of one aligned crop (Pech-Pacheco et al. 2000): higher is sharper, under 4 a smear."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def exposure(crop: Image) -> float:
    """Mean grey level of one aligned crop, 0..255."""
    return float(np.mean(crop))
