"""What may be seen of a scene: mosaics. Redaction fails closed, so it needs no detector to hide a face.

The whole picture becomes a mosaic so coarse that a face that fills a quarter of it is a handful of squares; only an
alert's own box may be sharp, and only in the frame in which it was detected (C3).
"""

from __future__ import annotations

import cv2
import numpy as np

from lfr.domain.faces import Image

COLUMNS = 32
"""Squares across the picture's longer side. tests/system/test_redaction.py shows that nobody can be told by them."""


def mosaic(picture: Image, width: int) -> Image:
    """The whole picture in COLUMNS squares across, scaled to `width` pixels."""
    h, w = picture.shape[:2]
    longer = max(w, h)
    cells = (max(round(COLUMNS * w / longer), 1), max(round(COLUMNS * h / longer), 1))
    coarse = cv2.resize(picture, cells, interpolation=cv2.INTER_AREA)
    # Five bits a channel: what averaging leaves of fine contrast goes too.
    coarse = np.asarray(coarse, np.uint8) & np.uint8(0xF8)
    return np.asarray(
        cv2.resize(coarse, (width, max(round(width * h / w), 1)), interpolation=cv2.INTER_NEAREST), np.uint8
    )


def scene(picture: Image, box: tuple[int, int, int, int], width: int = 960) -> Image:
    """The mosaic with one box (x y w h, pixels of the picture) left as it is."""
    h, w = picture.shape[:2]
    out = mosaic(picture, width)
    scale = width / w
    x0, y0, x1, y1 = clipped(box, w, h)
    left, top = round(x0 * scale), round(y0 * scale)
    right, bottom = max(round(x1 * scale), left + 1), max(round(y1 * scale), top + 1)
    right, bottom = min(right, out.shape[1]), min(bottom, out.shape[0])
    out[top:bottom, left:right] = cv2.resize(
        picture[y0:y1, x0:x1], (right - left, bottom - top), interpolation=cv2.INTER_AREA
    )
    cv2.rectangle(out, (left + 1, top + 1), (right - 2, bottom - 2), (255, 255, 255), 1)
    return out


def clipped(box: tuple[int, int, int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """x y w h as x0 y0 x1 y1 inside the picture, never empty."""
    x, y, w, h = box
    x0, y0 = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    return x0, y0, min(max(x + w, x0 + 1), width), min(max(y + h, y0 + 1), height)


def portrait(picture: Image, box: tuple[int, int, int, int], side: int = 240, margin: float = 0.25) -> Image:
    """One face's own box with a margin, square, side x side pixels: the probe picture of an alert."""
    x, y, w, h = box
    grown = round(max(w, h) * (1 + 2 * margin))
    square = (round(x + w / 2 - grown / 2), round(y + h / 2 - grown / 2), grown, grown)
    x0, y0, x1, y1 = clipped(square, picture.shape[1], picture.shape[0])
    cut = picture[y0:y1, x0:x1]
    edge = max(cut.shape[:2])
    framed = np.zeros((edge, edge, 3), np.uint8)
    top, left = (edge - cut.shape[0]) // 2, (edge - cut.shape[1]) // 2
    framed[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return np.asarray(cv2.resize(framed, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(picture: Image, quality: int = 80) -> bytes:
    """JPEG bytes, without any metadata."""
    ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError("the picture cannot be encoded")
    return bytes(data)
