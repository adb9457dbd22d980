"""The simulated scene as a source: `scene:demo`, with options as in `scene:demo?seconds=20&seed=1&loop=0`.

options: seconds (length of the scene, 5..3600), seed, fps (1..60), loop (1 = for ever). The pace is the camera's:
`live` follows the wall clock and gives the newest frame; `file` gives every frame as fast as it is asked for.
"""

from __future__ import annotations

import threading
import time
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec

from lfr.config import Camera
from lfr.domain.errors import ConfigError
from lfr.vision.drawing.backdrop import HEIGHT, WIDTH
from lfr.vision.source.base import EndOfSource, Frame, SourceStats
from lfr.vision.source.street import Street

__all__ = ["Scene", "open_scene", "parse_address"]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be said about a scene in its address."""

    seconds: Annotated[float, msgspec.Meta(ge=5, le=3600)] = 24.0
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1
    fps: Annotated[float, msgspec.Meta(ge=1, le=60)] = 25.0
    loop: bool = True


def parse_address(address: str) -> Options:
    """The options in a scene's address. Raises ConfigError."""
    name, _, query = address.removeprefix("scene:").partition("?")
    if not address.startswith("scene:") or name != "demo":
        raise ConfigError(f"no simulated scene called {name!r}", hint="there is one: scene:demo")
    try:
        pairs = dict(parse_qsl(query, strict_parsing=True)) if query else {}
        return msgspec.convert(pairs, Options, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        known = ", ".join(Options.__struct_fields__)
        raise ConfigError(
            f"{address}: {error}", hint=f"options are {known}, as in scene:demo?seconds=20&seed=1"
        ) from error


def open_scene(camera: Camera, address: str) -> Scene:
    """Open a simulated scene. Raises ConfigError: a wrong option, or the pictures' packages are missing."""
    options = parse_address(address)
    street = Street(seconds=options.seconds, seed=options.seed, fps=options.fps, loop=options.loop)
    frames = None if options.loop else round(options.seconds * options.fps)
    return Scene(street, frames=frames, live=camera.pace == "live")


class Scene:
    """A street as a `Source`. frames: where it ends; None = never."""

    def __init__(self, street: Street, *, frames: int | None, live: bool) -> None:
        self._street = street
        self._frames = frames
        self._live = live
        self._next = 0
        self._started: float | None = None
        self._closed = threading.Event()
        self._stats = SourceStats(state="ok", fps=street.fps, size=(WIDTH, HEIGHT), codec="simulated, JPEG")

    @property
    def live(self) -> bool:
        """Whether it follows the wall clock."""
        return self._live

    @property
    def stats(self) -> SourceStats:
        """The counters so far. Frames that were due and skipped are read and dropped, but never drawn."""
        return self._stats

    def read(self, timeout: float) -> Frame | None:
        """The next frame (file pace) or the newest one due (live pace). None: none is due within `timeout` seconds.

        Raises EndOfSource after the last frame, and once it is closed.
        """
        if not self._live:
            return self._deliver(self._next, time.time())
        now = time.time()
        if self._started is None:
            self._started = now
        wait = self._due(self._next) - now
        if wait > 0:
            if wait > timeout:
                self._closed.wait(timeout)
                return None
            self._closed.wait(wait)
        newest = max(self._next, int((time.time() - self._started) * self._street.fps))
        if self._frames is not None:
            newest = min(newest, max(self._frames - 1, self._next))
        return self._deliver(newest, self._due(newest))

    def skip_to(self, index: int) -> None:
        """Go on at this frame (file pace only)."""
        if not self._live:
            self._next = index

    def close(self) -> None:
        """Stop. Safe to call twice and from another thread: a waiting read returns at once."""
        self._closed.set()
        self._stats.state = "ended"

    def _due(self, index: int) -> float:
        assert self._started is not None
        return self._started + index / self._street.fps

    def _deliver(self, index: int, stamped_at: float) -> Frame:
        if self._closed.is_set() or (self._frames is not None and index >= self._frames):
            self._stats.state = "ended"
            raise EndOfSource
        image = self._street.render(index)
        skipped = index - self._next
        self._next = index + 1
        self._stats.read += skipped + 1
        self._stats.dropped += skipped
        self._stats.last_good_at = time.time()
        return Frame(index, index / self._street.fps, stamped_at, image)
