"""Decoding pictures that strangers made: size first, from the header, then pixels, and no exception escapes."""

from __future__ import annotations

import io
import warnings
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from lfr.domain.faces import Image
from lfr.domain.watchlist import Refusal

MOST_BYTES = 32 << 20
MOST_PIXELS = 50_000_000
MOST_SIDE = 20_000
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
_MARGIN = 0.4
_CUT_OUT_SIDE = 320
_JPEG_QUALITY = 90


class Refused(NamedTuple):
    """Why a picture is not enrolled."""

    reason: Refusal
    detail: str = ""


def decode(data: bytes) -> Image | Refused:
    """The picture, upright (EXIF orientation applied), whatever its file was called. uint8 (h, w, 3) BGR.

    Refused as `too large` above 32 MiB, 50 megapixels or 20,000 pixels a side, as `unreadable` for anything broken or
    of another format than JPEG, PNG, WebP and BMP.
    """
    if not data:
        return Refused("unreadable", "the file is empty")
    if len(data) > MOST_BYTES:
        return Refused("too large", f"{len(data) >> 20} MiB, at most {MOST_BYTES >> 20} MiB")
    try:
        with warnings.catch_warnings():
            # Pillow warns above its own limit; ours is lower and checked below.
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            return _decode(data)
    except (Pillow.DecompressionBombError, MemoryError):
        return Refused("too large", f"more than {MOST_PIXELS // 1_000_000} megapixels")
    except Exception:  # a decoder on hostile bytes may raise anything; its words may quote the file
        return Refused("unreadable", "not a whole JPEG, PNG, WebP or BMP picture")


def _decode(data: bytes) -> Image | Refused:
    with Pillow.open(io.BytesIO(data), formats=FORMATS) as opened:
        width, height = opened.size
        if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
            return Refused("too large", f"{width} x {height} pixels, at most {MOST_PIXELS // 1_000_000} megapixels")
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        if upright.mode.startswith("I"):  # 16 bits of grey
            grey = (np.asarray(upright).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
            return np.repeat(grey[:, :, None], 3, axis=2)
        if upright.has_transparency_data:
            # Behind a transparent pixel any colour may lie: show what a viewer would show.
            paper = Pillow.new("RGBA", upright.size, (255, 255, 255, 255))
            upright = Pillow.alpha_composite(paper, upright.convert("RGBA"))
        return np.ascontiguousarray(np.asarray(upright.convert("RGB"))[:, :, ::-1])


def cut_out(picture: Image, box: tuple[float, float, float, float]) -> bytes:
    """JPEG bytes of a face (x1 y1 x2 y2) with a margin of 40 % on each side, longer side at most 320 pixels."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    across, down = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    left, right = max(0, int(x1 - across)), min(width, int(np.ceil(x2 + across)))
    top, bottom = max(0, int(y1 - down)), min(height, int(np.ceil(y2 + down)))
    part: Image = picture[top:bottom, left:right].copy()
    longer = max(part.shape[:2])
    if longer > _CUT_OUT_SIDE:
        scale = _CUT_OUT_SIDE / longer
        small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        part.fill(0)
        part = np.asarray(small, np.uint8)
    encoded = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    jpeg = encoded.tobytes()
    part.fill(0)
    encoded.fill(0)
    return jpeg
