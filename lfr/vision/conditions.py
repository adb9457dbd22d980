"""Image conditions that a certified envelope is stated in: light of a picture or a zone, detail of a face (C5)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Image

DARK, BRIGHT = 16, 250
"""Grey levels: below the one and above the other nothing can be told apart any more."""


@dataclass(frozen=True, slots=True)
class Light:
    """How light a picture is. mean: grey level 0..255. dark, bright: shares of pixels below DARK and above BRIGHT."""

    mean: float
    dark: float
    bright: float


def light(picture: Image, mask: NDArray[np.uint8] | None = None) -> Light:
    """The light of a BGR picture. mask: uint8 of its height and width; only where it is not 0 is looked at.

    A mask that leaves nothing gives a black picture's figures: nothing can be seen there.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    counts = cv2.calcHist([grey], [0], mask, [256], [0, 256]).ravel()
    total = float(counts.sum())
    if not total:
        return Light(0.0, 1.0, 0.0)
    mean = float(counts @ np.arange(256)) / total
    return Light(mean, float(counts[:DARK].sum()) / total, float(counts[BRIGHT + 1 :].sum()) / total)


def detail(crop: Image) -> float:
    """How much of the structure of one aligned crop is fine: 0 = none, about 0.08 for a face in focus.

    The variance between two scales of the face, a 56th and a 28th of the crop's side, over that at the coarser one. It
    tells too few pixels and a blur alike, whatever the brightness, and unlike the variance of the Laplacian
    (quality.sharpness) it does not take sensor noise for detail.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float32)
    side = grey.shape[0]
    face = np.s_[side * 20 // 112 : side * 104 // 112, side * 20 // 112 : side * 92 // 112]
    fine = cv2.GaussianBlur(grey, (0, 0), side / 56)[face]
    coarse = cv2.GaussianBlur(grey, (0, 0), side / 28)[face]
    return float(np.var(fine - coarse) / max(float(np.var(coarse)), 1.0))
