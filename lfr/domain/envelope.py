"""The conditions of the picture for which recognition was tested. Outside of them nobody is recognised (C5)."""

from __future__ import annotations

from typing import Annotated

import msgspec

Pixels = Annotated[float, msgspec.Meta(gt=0)]
Least = Annotated[float, msgspec.Meta(ge=0)]
Level = Annotated[float, msgspec.Meta(ge=0, le=255)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits a test certificate vouches for, in what is measured live (lfr.vision.quality, lfr.vision.conditions).

    min_face_px: width of the detected box, pixels. max_yaw: as quality.geometry measures it, 0 = frontal.
    min_sharpness: as quality.sharpness measures an aligned crop; it grows with size, light and noise, so it only tells
    what is far off. min_detail: as conditions.detail measures it, which tells a blur at any size. min_luma, max_luma:
    mean grey level of the zone. max_dark_share, max_bright_share: shares of the zone's pixels that are as good as black
    or white.
    """

    min_face_px: Pixels
    max_yaw: Least
    min_sharpness: Least
    min_detail: Least
    min_luma: Level
    max_luma: Level
    max_dark_share: Share
    max_bright_share: Share
