"""A camera on this machine: `webcam:0`."""

from __future__ import annotations

import re

from lfr.config import Camera
from lfr.domain.errors import SourceError
from lfr.vision.source.capture import Capture
from lfr.vision.source.live import LiveSource


def open_webcam(camera: Camera, address: str, *, stride: int = 1) -> LiveSource:
    """Follow a local camera; one that is missing or unplugged is tried again for ever.

    Raises SourceError if the address is not `webcam:` and a number.
    """
    found = re.fullmatch(r"webcam:(\d{1,3})", address)
    if not found:
        raise SourceError(f"camera {camera.id}: {address} is no webcam", hint="write webcam:0, webcam:1, ...")
    index = int(found.group(1))
    return LiveSource(lambda: _connect(index), camera.id, camera.times, stride=stride)


def _connect(index: int) -> Capture:
    capture = Capture(index)
    if capture.opened:
        return capture
    capture.release()
    raise SourceError(f"there is no webcam {index}, or another program holds it", hint="see `ls /dev/video*`")
