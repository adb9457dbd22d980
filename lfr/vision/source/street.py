"""The simulated street: people walk towards a fixed camera, drawn frame by frame as a camera would give them.

A head is never shown as the still it was cut from: it is scaled from small to large, moved, rolled and tilted, lit,
defocused and blurred by motion, and the whole frame gets sensor noise and goes through JPEG. Each frame is a pure
function of the seed and its index, so a run can be repeated and resumed. Proves plumbing, not accuracy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Image
from lfr.vision.source.cutouts import Head, listed_head, passer_heads

WIDTH, HEIGHT = 1280, 720
_HORIZON = 105
_FACE_PX_AT_1M = 800.0  # a long lens, as a camera that reads faces has
_FAR_PX, _ASIDE_PX, _GONE_PX = 55.0, 185.0, 300.0  # face widths: appears, steps aside, has passed
_HEAD_DROP = 1.55  # the camera hangs above the heads: they sink by this many face widths
_ARRIVAL_S = 2.4
_LISTED_EVERY_S = 12.0
_LANES = (640, 300, 980, 460, 820)  # x where a person is when the face is _ASIDE_PX wide
_JPEG_QUALITY = 80
_NOISE_SIGMA = 4.0


@dataclass(frozen=True, slots=True)
class Walk:
    """One person's way towards the camera. start_s: seconds into the scene. listed: whether it is the volunteer."""

    start_s: float
    head: Head
    listed: bool
    x_far: float
    x_near: float
    speed: float
    phase: float
    light: float
    coat: tuple[int, int, int]
    trousers: tuple[int, int, int]

    def face_px(self, age: float) -> float:
        """Width of the face in pixels at this age (seconds since start)."""
        distance = _FACE_PX_AT_1M / _FAR_PX - self.speed * age
        return _FACE_PX_AT_1M / distance if distance > 0 else math.inf

    def place(self, age: float) -> tuple[float, float]:
        """Where the middle of the face is, x y in pixels."""
        px = self.face_px(age)
        share = (px - _FAR_PX) / (_ASIDE_PX - _FAR_PX)
        x = self.x_far + (self.x_near - self.x_far) * share
        if px > _ASIDE_PX:  # past the camera on the nearer side
            side = 1.0 if self.x_near >= WIDTH / 2 else -1.0
            x += side * 12.0 * (px - _ASIDE_PX)
        step = abs(math.sin(2 * math.pi * 0.95 * age + self.phase))
        return x, _HORIZON + _HEAD_DROP * px + 0.07 * px * step


class Street:
    """The scene. render(index) gives one frame: uint8 (720, 1280, 3) BGR. Raises ConfigError without the pictures."""

    def __init__(self, *, seconds: float, seed: int, fps: float, loop: bool) -> None:
        self.fps = fps
        self._seconds = seconds
        self._loop = loop
        rng = np.random.default_rng(seed)
        self._background = _draw_background(rng)
        noise = rng.normal(0.0, _NOISE_SIGMA, (HEIGHT + 96, WIDTH + 96, 1)).astype(np.float32)
        self._brighter = np.repeat(np.clip(noise, 0, 255).astype(np.uint8), 3, axis=2)
        self._darker = np.repeat(np.clip(-noise, 0, 255).astype(np.uint8), 3, axis=2)
        self._seed = seed
        self.walks = _schedule(rng, seconds)

    def render(self, index: int) -> Image:
        """The frame at this index."""
        t = index / self.fps
        frame = self._background.copy()
        for walk, age in sorted(self._present(t), key=lambda pair: pair[0].face_px(pair[1])):
            _draw_person(frame, walk, age, 1.0 / self.fps)
        gain = 1.0 + 0.07 * math.sin(2 * math.pi * t / 9.0) + 0.02 * math.sin(2 * math.pi * t / 1.3)
        cv2.convertScaleAbs(frame, dst=frame, alpha=gain, beta=2.0)
        return self._developed(frame, index)

    def _present(self, t: float) -> list[tuple[Walk, float]]:
        ages = ((walk, t - walk.start_s) for walk in self.walks)
        wrapped = ((walk, age % self._seconds if self._loop and age >= 0 else age) for walk, age in ages)
        return [(walk, age) for walk, age in wrapped if age >= 0 and walk.face_px(age) < _GONE_PX]

    def _developed(self, frame: Image, index: int) -> Image:
        """Sensor noise, a new piece of it for each frame, then JPEG and back."""
        dy, dx = (int(v) for v in np.random.default_rng((self._seed, index)).integers(0, 96, 2))
        window = np.s_[dy : dy + HEIGHT, dx : dx + WIDTH]
        cv2.add(frame, self._brighter[window], dst=frame)
        cv2.subtract(frame, self._darker[window], dst=frame)
        _, encoded = cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def _schedule(rng: np.random.Generator, seconds: float) -> list[Walk]:
    """Somebody arrives every _ARRIVAL_S; the volunteer is first, then one of about every five."""
    passers = passer_heads()
    order = list(rng.permutation(len(passers)))
    walks: list[Walk] = []
    next_listed = 0.0
    for slot in range(max(1, math.ceil((seconds - 1.0) / _ARRIVAL_S))):
        start = slot * _ARRIVAL_S + (0.4 if slot == 0 else float(rng.uniform(0.0, 0.5)))
        listed = start >= next_listed
        if listed:
            next_listed += _LISTED_EVERY_S
        walks.append(
            Walk(
                start_s=start,
                head=listed_head() if listed else passers[order[slot % len(order)]],
                listed=listed,
                x_far=float(rng.uniform(440, 840)),
                x_near=_LANES[slot % len(_LANES)] + float(rng.uniform(-30, 30)),
                speed=float(rng.uniform(1.15, 1.45)),
                phase=float(rng.uniform(0, math.pi)),
                light=float(rng.uniform(0.88, 1.08)),
                coat=_colour(rng, 40, 130),
                trousers=_colour(rng, 25, 80),
            )
        )
    return walks


def _colour(rng: np.random.Generator, low: int, high: int) -> tuple[int, int, int]:
    blue, green, red = (int(v) for v in rng.integers(low, high, 3))
    return blue, green, red


def _draw_background(rng: np.random.Generator) -> Image:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rows = np.linspace(0, 1, HEIGHT)[:, None, None]
    picture[:] = np.rint(np.array([150, 145, 140]) - 45 * rows).astype(np.uint8)
    for left in range(0, WIDTH, 160):  # house fronts with windows
        wall = _colour(rng, 95, 150)
        cv2.rectangle(picture, (left, 0), (left + 158, _HORIZON + 70), wall, -1)
        for x in range(left + 18, left + 140, 44):
            for y in (12, 72):
                pane = _colour(rng, 50, 90)
                cv2.rectangle(picture, (x, y), (x + 26, y + 38), pane, -1)
    for x in range(-1600, WIDTH + 1600, 200):  # paving towards the vanishing point
        cv2.line(
            picture, (WIDTH // 2 + (x - WIDTH // 2) // 6, _HORIZON + 70), (x, HEIGHT), (92, 94, 96), 2, cv2.LINE_AA
        )
    for row in (190, 215, 255, 320, 430, 600):
        cv2.line(picture, (0, row), (WIDTH, row), (90, 92, 95), 1 + row // 220, cv2.LINE_AA)
    texture = rng.normal(0, 6, (HEIGHT // 2, WIDTH // 2)).astype(np.float32)
    grain = cv2.resize(texture, (WIDTH, HEIGHT))[:, :, None]
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (5, 5), 1.2) + grain, 0, 255), np.uint8)


def _draw_person(frame: Image, walk: Walk, age: float, frame_s: float) -> None:
    px = walk.face_px(age)
    x, y = walk.place(age)
    swing = math.sin(2 * math.pi * 0.95 * age + walk.phase)
    _draw_body(frame, walk, px, x, y, swing)
    before_x, before_y = walk.place(max(0.0, age - frame_s))
    _paste_head(frame, walk, age, (x, y), (x - before_x, y - before_y))


def _draw_body(frame: Image, walk: Walk, px: float, x: float, y: float, swing: float) -> None:
    def at(dx: float, dy: float) -> tuple[int, int]:
        return round(x + dx * px), round(y + dy * px)

    for side in (-1, 1):
        knee = at(0.42 * side, 4.4)
        foot = at(0.45 * side, 6.0 + 0.25 * side * swing)
        cv2.polylines(
            frame, [np.array([at(0.4 * side, 3.2), knee, foot])], False, walk.trousers, max(2, round(0.55 * px))
        )
    torso = [at(-1.25, 1.15), at(-0.45, 0.75), at(0.45, 0.75), at(1.25, 1.15), at(0.95, 3.6), at(-0.95, 3.6)]
    cv2.fillConvexPoly(frame, np.array(torso), walk.coat, cv2.LINE_AA)
    for side in (-1, 1):
        arm = [at(1.15 * side, 1.3), at(1.3 * side, 2.4), at(1.1 * side, 3.3 + 0.15 * side * swing)]
        cv2.polylines(frame, [np.array(arm)], False, walk.coat, max(2, round(0.42 * px)), cv2.LINE_AA)
    lit = tuple(int(c * walk.light * 0.8) for c in walk.head.skin)
    cv2.ellipse(
        frame, at(0, 0.75), (max(1, round(0.34 * px)), max(1, round(0.42 * px))), 0, 0, 360, lit, -1, cv2.LINE_AA
    )


def _paste_head(frame: Image, walk: Walk, age: float, middle: tuple[float, float], moved: tuple[float, float]) -> None:
    """Warp the cut-out to its size, roll and tilt, soften it, light it, and blend it in."""
    head = walk.head
    scale = walk.face_px(age) / head.face_px
    high, wide = head.picture.shape[:2]
    half_x, half_y = 0.58 * wide * scale + 3, 0.54 * high * scale + 3  # room for roll and blur
    x0, y0 = max(0, math.floor(middle[0] - half_x)), max(0, math.floor(middle[1] - half_y))
    x1, y1 = min(WIDTH, math.ceil(middle[0] + half_x)), min(HEIGHT, math.ceil(middle[1] + half_y))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    warp = _warp(walk, age, scale, (wide / 2, high / 2), (middle[0] - x0, middle[1] - y0))
    warped = cv2.warpAffine(head.picture, warp, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    patch = _softened(np.asarray(warped, np.uint8), walk.face_px(age), moved)
    opacity = cv2.extractChannel(patch, 3).astype(np.float32) * np.float32(1 / 255)
    gain = walk.light * (1.0 + 0.10 * math.sin(0.9 * age + 2 * walk.phase))  # pools of light on the way
    lit = cv2.convertScaleAbs(cv2.cvtColor(patch, cv2.COLOR_BGRA2BGR), alpha=gain)
    under = frame[y0:y1, x0:x1]
    cv2.blendLinear(lit, under, opacity, 1 - opacity, under)


def _warp(
    walk: Walk, age: float, scale: float, source: tuple[float, float], target: tuple[float, float]
) -> NDArray[np.float64]:
    turn = 2 * math.pi * age
    roll = math.radians(3.5) * math.sin(0.5 * turn + walk.phase)
    across = scale * (0.97 + 0.03 * math.cos(0.31 * turn + walk.phase))  # a little to the side
    along = scale * (0.98 + 0.02 * math.cos(0.43 * turn))  # and up and down
    shear = 0.03 * math.sin(0.27 * turn + walk.phase)
    cos, sin = math.cos(roll), math.sin(roll)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[across, shear * scale], [0.0, along]])
    return np.asarray(np.column_stack([matrix, np.array(target) - matrix @ np.array(source)]), np.float64)


def _softened(patch: NDArray[np.uint8], px: float, moved: tuple[float, float]) -> NDArray[np.uint8]:
    """Defocus away from the sharpest distance, and the smear of half a frame's movement."""
    defocus = 0.5 + 0.8 * abs(math.log2(px / 130.0)) * px / 130.0
    soft = cv2.GaussianBlur(patch, (5, 5), min(defocus, 2.0))
    smear = (max(1, round(abs(moved[0]) * 0.5)), max(1, round(abs(moved[1]) * 0.5)))
    return np.asarray(cv2.blur(soft, smear) if max(smear) > 1 else soft, np.uint8)
