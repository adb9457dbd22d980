"""The empty street: house fronts with windows over paving that runs to a vanishing point."""

from __future__ import annotations

import cv2
import numpy as np

from lfr.domain.faces import Image

WIDTH, HEIGHT = 1280, 720
HORIZON = 105
"""Row of eye level in a picture of HEIGHT rows."""


def colour(rng: np.random.Generator, low: int, high: int) -> tuple[int, int, int]:
    """Any BGR colour with channels in low..high."""
    blue, green, red = (int(v) for v in rng.integers(low, high, 3))
    return blue, green, red


def empty_street(rng: np.random.Generator) -> Image:
    """The background of one scene: uint8 (720, 1280, 3)."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rows = np.linspace(0, 1, HEIGHT)[:, None, None]
    picture[:] = np.rint(np.array([150, 145, 140]) - 45 * rows).astype(np.uint8)
    for left in range(0, WIDTH, 160):
        wall = colour(rng, 95, 150)
        cv2.rectangle(picture, (left, 0), (left + 158, HORIZON + 70), wall, -1)
        for x in range(left + 18, left + 140, 44):
            for y in (12, 72):
                pane = colour(rng, 50, 90)
                cv2.rectangle(picture, (x, y), (x + 26, y + 38), pane, -1)
    for x in range(-1600, WIDTH + 1600, 200):
        cv2.line(picture, (WIDTH // 2 + (x - WIDTH // 2) // 6, HORIZON + 70), (x, HEIGHT), (92, 94, 96), 2, cv2.LINE_AA)
    for row in (190, 215, 255, 320, 430, 600):
        cv2.line(picture, (0, row), (WIDTH, row), (90, 92, 95), 1 + row // 220, cv2.LINE_AA)
    texture = rng.normal(0, 6, (HEIGHT // 2, WIDTH // 2)).astype(np.float32)
    grain = cv2.resize(texture, (WIDTH, HEIGHT))[:, :, None]
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (5, 5), 1.2) + grain, 0, 255), np.uint8)
