"""Clips of painted walkers for the shipped engine double: who walks when is known, and no real face is needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from lfr.vision.engine.double import paint
from lfr.vision.source.street import Street

SIZE = (640, 360)
FPS = 25.0
WALK_S = 4.0


@cache
def backdrop() -> np.ndarray:
    """The demonstration's street before anybody has come, in grey: the double takes strong colour for a person.

    A plain wall will not do: a picture without detail is outside of every envelope (C5).
    """
    drawn = cv2.resize(Street(seconds=12, seed=1, fps=25, loop=True).render(0), SIZE, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    grey.setflags(write=False)
    return grey


def portrait(identity: int) -> bytes:
    """An encoded still of one identity, for enrolment."""
    image = np.full((240, 240, 3), 90, np.uint8)
    paint(image, identity, 70, 70, 100)
    return bytes(cv2.imencode(".png", image)[1])


def walkers_clip(path: Path, identities: list[int], *, every_s: float = 2.0, tail_s: float = 0.5) -> Path:
    """One walker after another, each in view for four seconds, a new one every `every_s` seconds."""
    length = every_s * (len(identities) - 1) + WALK_S + tail_s
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE)
    assert writer.isOpened()
    for index in range(round(length * FPS)):
        writer.write(frame_at(index / FPS, identities, every_s))
    writer.release()
    return path


def frame_at(media_s: float, identities: list[int], every_s: float) -> np.ndarray:
    """The picture at one moment: at most a few walkers, each in a lane of its own."""
    image = backdrop().copy()
    for number, identity in enumerate(identities):
        done = (media_s - number * every_s) / WALK_S
        if 0 <= done < 1:
            side = 40
            paint(image, identity, int(20 + (SIZE[0] - side - 40) * done), 20 + number % 4 * 80, side)
    return image
