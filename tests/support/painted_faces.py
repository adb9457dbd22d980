"""A folder of painted faces for the shipped engine double: an identity for each, several pictures of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from lfr.vision.engine.double import paint


def still(identity: int, *, side: int = 100, shade: int = 90) -> np.ndarray:
    """A picture of one identity: a marker of `side` pixels in the middle of a grey square."""
    image = np.full((240, 240, 3), shade, np.uint8)
    paint(image, identity, 120 - side // 2, 120 - side // 2, side)
    return image


def painted_faces(folder: Path, people: int = 8, pictures: int = 2) -> Path:
    """One folder for each of up to twelve people."""
    for identity in range(people):
        (folder / f"p{identity:02}").mkdir(parents=True)
        for number in range(pictures):
            cv2.imwrite(str(folder / f"p{identity:02}" / f"{number}.png"), still(identity, shade=80 + 10 * number))
    return folder
