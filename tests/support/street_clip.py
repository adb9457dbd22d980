"""A short clip of the simulated street with its truth: real video and real faces, none of them a stranger's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2

from lfr.vision.drawing.backdrop import HEIGHT, WIDTH
from lfr.vision.source.cutouts import listed_portrait
from lfr.vision.source.street import Street

FPS = 12.5
FROM, FRAMES = 62, 48  # the volunteer comes near in these frames of the scene


@dataclass(frozen=True)
class StreetClip:
    """What `lfr evaluate clip` is given."""

    clip: Path
    truth: Path
    faces: Path

    def arguments(self) -> list[str]:
        """As on the command line."""
        return [str(self.clip), "--truth", str(self.truth), "--faces", str(self.faces)]


def make_street_clip(folder: Path) -> StreetClip:
    """Write clip, truth and portrait into `folder`. A second entry's picture has no face, so it cannot be enrolled."""
    street = Street(seconds=24, seed=1, fps=FPS, loop=False)
    made = StreetClip(folder / "street.mp4", folder / "street.json", folder / "faces")
    writer = cv2.VideoWriter(str(made.clip), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    for index in range(FROM, FROM + FRAMES):
        writer.write(street.render(index))
    writer.release()
    (made.faces / "volunteer").mkdir(parents=True)
    (made.faces / "volunteer" / "1.png").write_bytes(listed_portrait())
    street_only = cv2.imencode(".png", street.render(0)[:300, :300])[1].tobytes()
    (made.faces / "nobody.png").write_bytes(street_only)
    made.truth.write_text(json.dumps(_truth(street)))
    return made


def _truth(street: Street) -> dict:
    tracks = []
    for number, walk in enumerate(street.walks):
        seen = [
            index
            for index in range(FRAMES)
            if (age := (FROM + index) / FPS - walk.start_s) >= 0 and walk.face_px(age) < 200
        ]
        if seen:
            identity = "volunteer" if walk.listed else f"passer-{number}"
            tracks.append(
                {
                    "track": number,
                    "identity": identity,
                    "on_watchlist": walk.listed,
                    "first_frame": seen[0],
                    "last_frame": min(FRAMES - 1, seen[-1] + 12),
                }
            )
    watchlist = [
        {"id": "volunteer", "images": ["volunteer/1.png"], "appears": True},
        {"id": "nobody", "images": ["nobody.png"], "appears": False},
    ]
    return {"frames": FRAMES, "fps": FPS, "width": WIDTH, "height": HEIGHT, "watchlist": watchlist, "tracks": tracks}
