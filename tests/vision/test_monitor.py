"""A picture outside its envelope suspends recognition, says why, and the state neither flickers nor sticks."""

import itertools

import cv2
import numpy as np
import pytest

from lfr.domain.envelope import Envelope
from lfr.vision.monitor import RESUME_S, SUSPEND_S, UNTESTED, Monitor
from lfr.vision.source.street import Street
from lfr.vision.zone import Zone

FPS = 12.5
SIZE = (640, 360)


@pytest.fixture(scope="module")
def street():
    """Twelve seconds of the demonstration's street with its passers-by, at the size the detector gets."""
    drawn = Street(seconds=12, seed=1, fps=25, loop=True)
    return [cv2.resize(drawn.render(2 * i), SIZE, interpolation=cv2.INTER_AREA) for i in range(150)]


def dark(picture):
    return (picture * 0.08).astype(np.uint8)


def dazzled(picture):
    return cv2.add(picture, (170, 170, 170, 0))


def blurred(picture):
    return cv2.GaussianBlur(picture, (0, 0), 5)


def covered(picture):
    rng = np.random.default_rng(0)
    hand = np.full_like(picture, 95)
    hand[:, -60:] = picture[:, -60:]
    return np.clip(hand + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def turned(picture):
    return np.roll(picture, (36, 64), axis=(0, 1))


SPOILS = {"too dark": dark, "too bright": dazzled, "blurred": blurred, "covered": covered, "moved": turned}


def watch(pictures, monitor=None, start=0.0, **given):
    """Feed pictures at 12.5 a second; (time, verdict) of each."""
    monitor = monitor or Monitor(None, Zone(()))
    return [(start + i / FPS, monitor.feed(p, start + i / FPS, **given)) for i, p in enumerate(pictures)]


def test_an_ordinary_street_is_inside_throughout(street):
    assert not [at for at, verdict in watch(street * 3) if verdict.outside]


@pytest.mark.rule("C5")
@pytest.mark.parametrize("reason", SPOILS)
def test_what_is_not_fit_suspends_says_why_and_resumes_by_itself(street, reason):
    monitor = Monitor(None, Zone(()))
    before = watch(street[:75], monitor)
    spoilt = watch([SPOILS[reason](p) for p in street[75:125]], monitor, start=6.0)
    after = watch(street[125:] + street[:50], monitor, start=10.0)
    assert not any(verdict.outside for _, verdict in before)
    at = next(at for at, verdict in spoilt if verdict.outside)
    assert at - 6.0 <= SUSPEND_S + 2.5
    assert spoilt[-1][1].reason == reason
    assert all(verdict.outside for _, verdict in after[: int(RESUME_S * FPS)])
    assert not after[-1][1].outside
    gaps = [verdict.ended_s for _, verdict in after if verdict.ended_s is not None]
    assert len(gaps) == 1
    assert 3.5 < gaps[0] < 7.5  # four seconds, and what it took to notice either way


@pytest.mark.rule("C5")
def test_black_and_frozen_pictures_and_late_ones_are_outside(street):
    for given, reason in (({"health": "black"}, "black"), ({"health": "frozen"}, "frozen"), ({"lag_s": 2.5}, "late")):
        verdicts = watch(street[:20], **given)
        assert verdicts[-1][1].outside
        assert verdicts[-1][1].reason == reason
    assert not watch(street[:20], health="ok", lag_s=1.5)[-1][1].outside


@pytest.mark.rule("C5")
def test_the_certificates_limits_are_the_ones_that_count(street):
    mean = float(street[0].mean())
    narrow = Envelope(
        min_face_px=20, max_yaw=1, min_sharpness=4, min_detail=0, min_luma=mean + 30, max_luma=250,
        max_dark_share=1, max_bright_share=1,
    )  # fmt: skip
    assert watch(street[:20], Monitor(narrow, Zone(())))[-1][1].reason == "too dark"
    assert not watch(street[:20], Monitor(UNTESTED, Zone(())))[-1][1].outside


@pytest.mark.rule("C5")
def test_only_the_zone_is_judged_for_its_light(street):
    pictures = [p.copy() for p in street[:20]]
    for picture in pictures:
        picture[:, :320] = 0
    right = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    assert not watch(pictures, Monitor(None, Zone(right)))[-1][1].outside
    assert watch(pictures, Monitor(None, Zone(left)))[-1][1].reason == "too dark"
    assert not watch(pictures, Monitor(None, Zone((), (left,))))[-1][1].outside


def test_one_bad_picture_suspends_nothing_and_one_good_one_resumes_nothing(street):
    spoilt = [dark(p) if i in (20, 40) else p for i, p in enumerate(street[:60])]
    assert not any(verdict.outside for _, verdict in watch(spoilt))
    mostly = [p if i % 15 == 0 and i else dark(p) for i, p in enumerate(street[:60])]
    states = [verdict.outside for _, verdict in watch(mostly)]
    assert states == sorted(states)  # once outside, it stays so


def test_a_value_on_its_limit_does_not_flicker(street):
    """Light that swings a little about its limit: suspended once, not at every swing."""
    monitor = Monitor(None, Zone(()))
    flat = [np.full_like(street[0], 0) for _ in range(200)]
    for i, picture in enumerate(flat):
        grain = np.random.default_rng(i).integers(-12, 13, picture.shape)
        picture[:] = np.clip(UNTESTED.min_luma + 1.5 * np.sin(i / 12) + grain, 0, 255)
    states = [verdict.outside for _, verdict in watch(flat, monitor)]
    assert sum(a != b for a, b in itertools.pairwise(states)) == 1


def test_a_moved_camera_stays_outside_until_somebody_says_that_the_view_is_right(street):
    monitor = Monitor(None, Zone(()))
    watch(street[:75], monitor)
    for block in range(4):
        verdicts = watch([turned(p) for p in street], monitor, start=6.0 + 12 * block)
    assert all(verdict.outside for _, verdict in verdicts)
    monitor.learn()
    assert not watch([turned(p) for p in street], monitor, start=60.0)[-1][1].outside


def test_a_picture_without_any_detail_is_outside_from_the_first_moment():
    flat = [np.full((360, 640, 3), 120, np.uint8)] * 20
    assert watch(flat)[-1][1].reason == "blurred"
