"""Light and detail, as a certified envelope states them."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.vision.conditions import detail, light
from lfr.vision.quality import sharpness


@given(st.integers(0, 255))
def test_an_even_picture_is_as_light_as_it_is(level):
    seen = light(np.full((20, 30, 3), level, np.uint8))
    assert seen.mean == level
    assert seen.dark == (level < 16)
    assert seen.bright == (level > 250)


def test_only_the_zone_is_looked_at():
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, 30:] = 255
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 20:40] = 1
    seen = light(picture, mask)
    assert (seen.mean, seen.dark, seen.bright) == (127.5, 0.5, 0.5)
    nothing = light(picture, np.zeros((40, 60), np.uint8))
    assert (nothing.mean, nothing.dark) == (0.0, 1.0)


@pytest.fixture(scope="module")
def crop():
    """Lines and dots of the scale of a face's features."""
    rng = np.random.default_rng(5)
    spots = cv2.GaussianBlur(rng.normal(0, 900, (112, 112)).astype(np.float32), (0, 0), 2.2)
    broad = cv2.GaussianBlur(rng.normal(0, 6000, (112, 112)).astype(np.float32), (0, 0), 12)
    return np.repeat(np.clip(110 + spots + broad, 5, 250).astype(np.uint8)[..., None], 3, axis=2)


def test_blur_and_few_pixels_take_detail_away(crop):
    found = [detail(cv2.GaussianBlur(crop, (0, 0), sigma)) for sigma in (0.5, 1.5, 3, 6)]
    assert found == sorted(found, reverse=True)
    small = cv2.resize(cv2.resize(crop, (20, 20), interpolation=cv2.INTER_AREA), (112, 112))
    assert detail(small) < 0.6 * detail(crop)


def test_light_and_noise_do_not_change_it_as_they_change_sharpness(crop):
    dimmed = cv2.convertScaleAbs(crop, alpha=0.5)
    noise = np.random.default_rng(1).normal(0, 8, crop.shape[:2])[..., None]
    noisy = np.clip(crop + noise, 0, 255).astype(np.uint8)
    assert detail(dimmed) == pytest.approx(detail(crop), rel=0.05)
    assert sharpness(dimmed) < 0.4 * sharpness(crop)
    assert detail(noisy) == pytest.approx(detail(crop), rel=0.25)
    assert sharpness(noisy) > 2 * sharpness(crop)


def test_a_crop_of_nothing_has_none():
    assert detail(np.full((150, 150, 3), 7, np.uint8)) == 0.0
