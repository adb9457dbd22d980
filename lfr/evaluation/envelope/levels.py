"""What is held still while people pass: one condition goes through its levels, the others stay at their usual one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

AxisName = Literal["face_px", "yaw", "defocus", "light"]


@dataclass(frozen=True, slots=True)
class Held:
    """The conditions of one set of transits. face_px: width of the face as drawn. yaw: degrees to either side.

    defocus: sigma of the lens blur, pixels. light: gain of the whole picture, 1 = as the pictures are.
    """

    face_px: float = 80.0
    yaw: float = 0.0
    defocus: float = 0.6
    light: float = 1.0


@dataclass(frozen=True, slots=True)
class Axis:
    """One condition. levels: rising; the usual one is among them."""

    name: AxisName
    title: str
    levels: tuple[float, ...]

    def held(self, level: float) -> Held:
        """The usual conditions with this one at `level`."""
        changed: dict[str, float] = {self.name: level}
        return replace(Held(), **changed)


USUAL = Held()
AXES = (
    Axis("face_px", "Width of the face, pixels", (16, 20, 24, 28, 32, 36, 40, 52, 80, 110, 150)),
    Axis("yaw", "Turn of the head, degrees", (0, 10, 15, 20, 25, 30, 35, 40, 45)),
    Axis("defocus", "Defocus, sigma in pixels at a face of 80", (0.6, 1, 1.5, 2, 2.5, 3, 4, 5)),
    Axis("light", "Brightness, 1 = as photographed", (0.08, 0.12, 0.18, 0.27, 0.4, 0.6, 1.0, 1.4, 1.8, 2.3, 3.0)),
)
