"""Whether a camera's picture is one for which recognition was tested: outside of that there are no alerts (C5).

Light is held against the certificate's envelope; the view against what this camera usually shows. A state lasts: a bad
picture must stay bad for a moment before recognition is suspended, and must be good for longer, by a margin, before it
resumes by itself. Time is the pictures' own, so that a clip read fast is judged as it was filmed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from lfr.domain.envelope import Envelope
from lfr.domain.faces import Image
from lfr.vision.conditions import Light, light
from lfr.vision.view import Seen, View
from lfr.vision.zone import Zone

Reason = Literal["black", "frozen", "late", "too dark", "too bright", "covered", "moved", "blurred"]

UNTESTED = Envelope(
    min_face_px=1, max_yaw=10, min_sharpness=0, min_detail=0,
    min_luma=25, max_luma=230, max_dark_share=0.7, max_bright_share=0.4,
)  # fmt: skip
"""For a pack without a certificate (demonstration, research): what no recogniser can work with, and no more."""

SUSPEND_S, RESUME_S = 0.5, 2.0
"""How long it must be bad, and good again."""
LATE_S = 2.0
"""How much later than the quickest one a frame may come: older ones are not what is in front of the camera (M2)."""
_ALIKE, _LOST, _FINE, _DETAIL = 0.5, 0.6, 0.4, 0.03
"""Limits of `Seen`, measured on five fixed scenes from empty to crowded. While nothing happened the view never fell
below 0.61 alike or 0.69 of its fine detail, and never lost more than 0.35; a push by a tenth of the picture, a turn by
five degrees, a cover of nine tenths or a blur of 5 pixels in 640 went beyond a limit on each within three seconds."""
_FLAT = 0.3
"""What hides the view is a cover when it has less structure than this share, else the camera was moved."""
_STEP_BACK_S = 10.0
"""A file that goes on after a pause is read again from a little before: what was judged stays judged."""
_MARGIN = 0.9
"""To resume, a measurement must be inside by a tenth of its limit."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """outside: no recognition on this picture. reason: the first of what is wrong; empty while inside.

    ended_s: on the picture with which recognition resumes, how long it was suspended; else None.
    """

    outside: bool
    reason: Reason | Literal[""] = ""
    ended_s: float | None = None


class Monitor:
    """One camera's watch. envelope: None where the pack has no certificate."""

    def __init__(self, envelope: Envelope | None, zone: Zone) -> None:
        self._envelope = envelope or UNTESTED
        self._zone = zone
        self._view: View | None = None
        self._area = np.zeros((0, 0), np.uint8)
        self._wrong_since: float | None = None
        self._good_since: float | None = None
        self._outside_since: float | None = None
        self._reason: Reason | Literal[""] = ""
        self._at: float | None = None

    def learn(self) -> None:
        """The present view is the usual one from now on. What is suspended stays so until it is good again."""
        if self._view is not None:
            self._view.learn()

    def feed(self, picture: Image, media_s: float, *, health: str = "ok", lag_s: float = 0.0) -> Verdict:
        """One picture as it is given to the detector, without its padding: BGR, of one size for one camera; half
        of its width and height is enough for all that is measured.

        health: the word of `PictureHealth`. lag_s: how much later than the quickest frame this one came.
        """
        if self._at is not None and 0 < self._at - media_s < _STEP_BACK_S:
            return Verdict(self._outside_since is not None, self._reason if self._outside_since is not None else "")
        self._at = media_s
        half = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        if self._view is None or self._area.shape != half.shape[:2]:
            self._area = self._zone.area(half.shape[1], half.shape[0])
            self._view = View(self._area)
        seen, lit = self._view.look(half, media_s), light(half, self._area)
        nearly = next(self._wrong(seen, lit, health, lag_s, _MARGIN), None)
        if self._outside_since is not None:
            return self._judged(nearly, media_s)
        if nearly is None:  # what is about to go wrong must not become the usual
            self._view.follow()
        return self._judged(next(self._wrong(seen, lit, health, lag_s, 1.0), None), media_s)

    def _wrong(self, seen: Seen, lit: Light, health: str, lag_s: float, margin: float) -> Iterator[Reason]:
        """What is wrong, the plainest cause first. margin: 1, or less to ask for more than the limits."""
        limits = self._envelope
        if health == "black":
            yield "black"
        if health == "frozen":
            yield "frozen"
        if lag_s > LATE_S * margin:
            yield "late"
        if lit.mean < limits.min_luma / margin or lit.dark > limits.max_dark_share * margin:
            yield "too dark"
        if lit.mean > limits.max_luma * _up(margin) or lit.bright > limits.max_bright_share * margin:
            yield "too bright"
        other = seen.alike < _ALIKE / margin
        if not other and (seen.fine < _FINE / margin or seen.detail < _DETAIL / margin):
            yield "blurred"  # what is large still stands where it was
        if other or seen.lost > _LOST * margin:
            yield "covered" if seen.left < _FLAT else "moved"

    def _judged(self, wrong: Reason | None, at: float) -> Verdict:
        if wrong is None:
            self._wrong_since = None
            self._good_since = at if self._good_since is None else self._good_since
        else:
            self._good_since = None
            self._wrong_since = at if self._wrong_since is None else self._wrong_since
            self._reason = wrong
        if self._outside_since is None:
            if self._wrong_since is not None and at - self._wrong_since >= SUSPEND_S:
                self._outside_since = self._wrong_since
                return Verdict(outside=True, reason=self._reason)
            return Verdict(outside=False)
        # The word for a frozen picture has a window of its own, and whoever moves first must not be missed.
        wait = 0.0 if self._reason == "frozen" else RESUME_S
        if self._good_since is not None and at - self._good_since >= wait:
            ended, self._outside_since = at - self._outside_since, None
            return Verdict(outside=False, ended_s=ended)
        return Verdict(outside=True, reason=self._reason)


def _up(margin: float) -> float:
    """An upper limit near the end of the scale gives way by less: 255 cannot be exceeded by a tenth."""
    return 1 - (1 - margin) / 4
