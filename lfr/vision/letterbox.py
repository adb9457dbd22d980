"""A picture made to fit a detector: true to its aspect, padded to multiples of 32, never squashed.

Input true to the picture's aspect finds the same faces as a padded square in about two thirds of the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lfr.domain.faces import Detections, Image

STRIDE = 32
"""Every detector here halves its input five times."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How pictures of one size are fitted. The picture sits at the top left, black below and to the right.

    source: (width, height) of the given pictures. inner: (width, height) they are resized to.
    size: (width, height) of the result, multiples of 32.
    """

    source: tuple[int, int]
    inner: tuple[int, int]
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """Pixels of the result per pixel of the source."""
        return max(self.inner) / max(self.source)

    def apply(self, image: Image) -> Image:
        """The fitted picture: uint8 (height, width, 3). It is the given picture itself where nothing has to change.

        Raises ValueError when the picture is not of the size this letterbox was made for.
        """
        height, width = image.shape[:2]
        if (width, height) != self.source:
            raise ValueError(f"this letterbox is for {self.source}, the picture is {(width, height)}")
        if self.size == self.source:
            return image
        fitted: Image = np.empty((self.size[1], self.size[0], 3), np.uint8)
        across, down = self.inner
        fitted[down:] = 0
        fitted[:down, across:] = 0
        fitted[:down, :across] = image if self.inner == self.source else _resized(image, self.inner)
        return fitted

    def undo(self, detections: Detections) -> Detections:
        """The same faces in the source picture's pixels. Boxes may reach beyond its border, as detectors give them."""
        back = np.array([self.source[0] / self.inner[0], self.source[1] / self.inner[1]], np.float32)
        return Detections(detections.boxes * np.tile(back, 2), detections.scores, detections.points * back)


def fit(width: int, height: int, long_side: int) -> Letterbox:
    """The letterbox that brings the longer side to `long_side` pixels (a multiple of 32), larger or smaller.

    Raises ValueError on sizes below 1 or a long side that is no multiple of 32.
    """
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width}x{height} has no pixels")
    if long_side < STRIDE or long_side % STRIDE:
        raise ValueError(f"long_side {long_side} is not a multiple of {STRIDE}")
    scale = long_side / max(width, height)
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    return Letterbox((width, height), (across, down), (_up(across), _up(down)))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A picture with how it was fitted."""

    box: Letterbox
    picture: Image

    @property
    def inner(self) -> Image:
        """The picture without its padding."""
        return self.picture[: self.box.inner[1], : self.box.inner[0]]


def fit_picture(image: Image, long_side: int) -> Fitted:
    """One picture, fitted. Raises ValueError as `fit`."""
    height, width = image.shape[:2]
    box = fit(width, height, long_side)
    return Fitted(box, box.apply(image))


def _resized(image: Image, size: tuple[int, int]) -> Image:
    """Halved by averaging while more than two pixels would become one, then linear.

    Linear alone skips pixels and loses small faces; one area resize by an odd factor costs four times as much.
    """
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        height, width = image.shape[0] // 2, image.shape[1] // 2
        even = image[: height * 2, : width * 2]
        image = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _up(pixels: int) -> int:
    return -(-pixels // STRIDE) * STRIDE
