"""What may be said about a simulated clip. The same settings and the same folder always give the same clip."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec

from lfr.domain.errors import ConfigError

Way = Literal["towards", "across", "diagonal", "mixed"]
Range = tuple[float, float]
"""Lowest and highest; drawn evenly between them."""

MAX_POSE = 45.0
"""Degrees: a still turned further shows what no camera saw (drawing.turn)."""

Whole = Annotated[int, msgspec.Meta(ge=0)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated clip.

    people: who walk, each once. listed: how many of them are on the watchlist of `watchlist_size` entries.
    face_px: width of a face, pixels. speed: metres a second. shutter: share of a frame's time in which it is exposed
    (motion blur). defocus: sigma, pixels. light: gain of the whole picture, 1 = as drawn; it wanders between the two.
    noise: sigma, grey levels. quality: of the JPEG each frame goes through, 0 = none. occluded: share of people who
    wear something over their face. pose: how far heads turn, degrees. same_picture: the picture that is listed may be
    the one that is shown, where a person has no other.
    """

    seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 30.0
    fps: Annotated[float, msgspec.Meta(ge=1, le=60)] = 25.0
    width: Annotated[int, msgspec.Meta(ge=160, le=7680)] = 1280
    height: Annotated[int, msgspec.Meta(ge=120, le=4320)] = 720
    people: Annotated[int, msgspec.Meta(ge=1)] = 20
    listed: Whole = 10
    watchlist_size: Whole = 10
    seed: Whole = 1
    way: Way = "mixed"
    face_px: Range = (24.0, 110.0)
    speed: Range = (1.0, 1.6)
    shutter: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    defocus: Annotated[float, msgspec.Meta(ge=0, le=20)] = 0.6
    light: Range = (0.93, 1.07)
    noise: Annotated[float, msgspec.Meta(ge=0, le=60)] = 4.0
    quality: Annotated[int, msgspec.Meta(ge=0, le=100)] = 80
    occluded: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    pose: Annotated[float, msgspec.Meta(ge=0, le=MAX_POSE)] = 12.0
    same_picture: bool = False

    @property
    def frames(self) -> int:
        """How many frames the clip has; at least one."""
        return max(1, round(self.seconds * self.fps))


def checked(settings: Settings) -> Settings:
    """The settings, if they hold together. Raises ConfigError naming what does not."""
    try:
        msgspec.convert(msgspec.to_builtins(settings), Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"these settings cannot be drawn: {error}", hint="see lfr simulate --help") from error
    wrong = _wrong(settings)
    if wrong:
        raise ConfigError(wrong[0], hint=wrong[1])
    return settings


def _wrong(settings: Settings) -> tuple[str, str] | None:
    for name, least in (("face_px", 4.0), ("speed", 0.05), ("light", 0.01)):
        low, high = getattr(settings, name)
        if not (math.isfinite(low) and math.isfinite(high) and least <= low <= high):
            return f"{name} {low:g}:{high:g} is no range from {least:g} upwards", "give LOW:HIGH, as in 24:110"
    room = min(settings.width, settings.height) / 2
    if settings.face_px[1] > room:
        size = f"{settings.width}x{settings.height}"
        return f"faces of {settings.face_px[1]:g} px do not fit into {size}", f"at most {room:g} px"
    if settings.width % 2 or settings.height % 2:
        return f"a video of {settings.width}x{settings.height} cannot be encoded", "give even numbers"
    if settings.listed > settings.people:
        return (
            f"{settings.listed} of {settings.people} people cannot be listed",
            "those who are listed and walk are among the people",
        )
    if settings.watchlist_size < settings.listed:
        return (
            f"a watchlist of {settings.watchlist_size} cannot hold {settings.listed} people who walk",
            "raise --watchlist-size or lower --listed",
        )
    return None
