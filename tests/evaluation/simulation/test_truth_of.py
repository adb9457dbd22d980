"""The truth of a simulated clip: what it says about each face holds for any settings."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.evaluation.simulation.boxes import face_box, frame_boxes
from lfr.evaluation.simulation.cast import Cast, Walker
from lfr.evaluation.simulation.clip import truth_of
from lfr.evaluation.simulation.path import Path as Way
from lfr.evaluation.simulation.plan import Plan, Walk, draw_plan, people_for
from lfr.evaluation.simulation.settings import Settings, checked
from lfr.evaluation.truth import Entry, parse_truth
from lfr.vision.drawing.head import cut_head
from lfr.vision.drawing.person import Clothes

HEAD = cut_head(np.full((260, 220, 3), 170, np.uint8), (60.0, 40.0, 100.0, 130.0))


def cast_of(count, listed=0):
    walkers = [Walker(f"p{n}", (f"p{n}/0.png",) if n < listed else (), (f"p{n}/1.png",), (HEAD,)) for n in range(count)]
    return Cast(tuple(walkers), tuple(Entry(w.identity, w.enrol) for w in walkers[:listed]), 0)


@st.composite
def any_settings(draw):
    low = draw(st.floats(8, 40))
    people = draw(st.integers(1, 6))
    return checked(
        Settings(
            seconds=draw(st.floats(0.5, 6)),
            fps=draw(st.sampled_from([5.0, 12.5])),
            width=draw(st.sampled_from([320, 640, 1280])),
            height=draw(st.sampled_from([240, 360, 720])),
            people=people,
            listed=people // 2,
            watchlist_size=people // 2,
            seed=draw(st.integers(0, 1000)),
            way=draw(st.sampled_from(["towards", "across", "diagonal", "mixed"])),
            face_px=(low, draw(st.floats(low, 100))),
            speed=(0.5, draw(st.floats(0.5, 4))),
            pose=draw(st.floats(0, 45)),
        )
    )


@settings(max_examples=40)
@given(any_settings())
def test_every_box_is_in_the_picture_and_every_track_is_one_person(made):
    truth = truth_of(draw_plan(made), cast_of(made.people, made.listed), "clip.mp4")
    assert len({track.identity for track in truth.tracks}) == len(truth.tracks)
    for track in truth.tracks:
        frames = [box[0] for box in track.boxes]
        assert (frames[0], frames[-1]) == (track.first_frame, track.last_frame)
        assert all(a < b for a, b in pairwise(frames))
        assert frames[-1] < truth.frames
        for _, x, y, w, h, px, visible in track.boxes:
            assert 0 <= x + w / 2 < made.width + 0.2
            assert 0 <= y + h / 2 < made.height + 0.2
            assert 0.7 < h / w < 2.6
            assert 0.9 * made.face_px[0] <= px <= 1.1 * made.face_px[1]
            assert 0.05 <= visible <= 1
    assert {entry.id for entry in truth.watchlist if entry.appears} == {track.identity for track in truth.listed}


@settings(max_examples=10)
@given(any_settings())
def test_the_same_settings_give_the_same_truth_and_it_reads_back(made):
    one, two = (truth_of(draw_plan(made), cast_of(made.people, made.listed), "clip.mp4") for _ in range(2))
    raw = msgspec.json.encode(one)
    assert raw == msgspec.json.encode(two)
    assert parse_truth(raw, where="clip.json") == one
    assert one.simulation == made


def test_people_who_come_towards_the_camera_grow_and_are_seen_whole():
    made = Settings(people=4, listed=0, watchlist_size=0, seconds=20, fps=5, way="towards", pose=0)
    truth = truth_of(draw_plan(made), cast_of(4), "clip.mp4")
    assert len(truth.tracks) == 4
    for track in truth.tracks:
        sizes = [box[5] for box in track.boxes]
        assert sizes == sorted(sizes)
        assert sizes[-1] > 2 * sizes[0]


def standing(number, aside, ahead):
    """Somebody who all but stands there."""
    path = Way("towards", (aside, ahead), (aside, ahead - 0.01), 0.01)
    return Walk(number, path, 0.0, Clothes((90, 60, 60), (40, 40, 40)), 0.0, 1.0, 0.0, 1.0, 0.0, 0.0)


def seen(*walks, heads=HEAD):
    made = Settings(people=len(walks), listed=0, watchlist_size=0, seconds=0.5, pose=0)
    plan = Plan(made, draw_plan(made).view, walks)
    walkers = tuple(Walker(f"p{n}", (), (), (heads,)) for n in range(len(walks)))
    return {number: box[6] for number, box in frame_boxes(plan, walkers, 5).items()}


def test_who_stands_behind_another_is_hidden_by_them():
    alone = seen(standing(0, 0.0, 6.0))
    assert alone == {0: 1.0}
    assert seen(standing(0, 0.0, 6.0), standing(1, 1.0, 5.0)) == {0: 1.0, 1: 1.0}
    behind = seen(standing(0, 0.0, 5.2), standing(1, 0.0, 5.0))
    assert behind[1] == 1.0
    assert behind.get(0, 0.0) < 0.2
    beside = seen(standing(0, 0.14, 5.2), standing(1, 0.0, 5.0))
    assert 0.1 < beside[0] < 0.8


def test_what_is_worn_counts_as_hidden():
    assert seen(standing(0, 0.0, 6.0), heads=replace(HEAD, covered=0.4)) == {0: 0.6}


def test_half_out_of_the_picture_is_half_visible():
    box = seen(standing(0, 1.58, 6.0))  # the picture's edge is 1.54 m aside at 6 m
    assert box == {} or box[0] < 0.6
    assert 0.5 < seen(standing(0, 1.52, 6.0))[0] < 0.75


def test_a_turned_head_carries_its_face_to_the_side():
    walk = replace(standing(0, 0.0, 6.0), turn=30.0)
    made = Settings(pose=30)
    stance = walk.stance(draw_plan(made).view, made, 0.2)
    straight = replace(stance, yaw=0.0, pitch=0.0)
    (turned_x, _, turned_w, _), (x, _, w, _) = face_box(HEAD, stance), face_box(HEAD, straight)
    assert turned_w < w
    assert turned_x + turned_w / 2 > x + w / 2 + 0.1 * w


@pytest.mark.parametrize("density", [1.0, 4.0])
def test_a_density_is_that_many_people_at_once(density):
    made = Settings(seconds=60, fps=5, listed=0, watchlist_size=0, width=640, height=360, face_px=(16, 60))
    made = msgspec.structs.replace(made, people=people_for(made, density))
    plan = draw_plan(made)
    there = np.mean([len(plan.present(index)) for index in range(made.frames)])
    assert there == pytest.approx(density, rel=0.3)
