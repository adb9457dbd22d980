"""Truth files: strictly read, and what of them a run may know."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import ConfigError
from lfr.evaluation.truth import load_truth, parse_truth

GOOD = {
    "frames": 100,
    "fps": 25,
    "watchlist": [{"id": "a", "images": ["a/1.jpg"], "appears": True}, {"id": "b", "images": ["b/1.jpg", "b/2.jpg"]}],
    "tracks": [
        {"track": 0, "identity": "a", "on_watchlist": True, "first_frame": 0, "last_frame": 40},
        {"track": 1, "identity": "z", "on_watchlist": False, "first_frame": 20, "last_frame": 99},
    ],
}


def read(**changed):
    return parse_truth(json.dumps(GOOD | changed).encode(), where="clip.json")


def test_a_good_file_is_read():
    truth = read()
    assert [track.identity for track in truth.listed] == ["a"]
    assert len(truth.tracks) == 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"colour": "red"}, "colour"),
        ({"fps": "fast"}, "fps"),
        ({"watchlist": [{"id": "a", "images": []}]}, "no images"),
        ({"watchlist": [{"id": "a", "images": ["../x.jpg"]}]}, "leaves the folder"),
        ({"watchlist": [{"id": "a", "images": ["/etc/x.jpg"]}]}, "leaves the folder"),
        ({"watchlist": [{"id": "a", "images": ["x"]}, {"id": "a", "images": ["y"]}]}, "twice"),
        ({"tracks": [GOOD["tracks"][0] | {"last_frame": 100}]}, "track 0"),
        ({"tracks": [GOOD["tracks"][0] | {"first_frame": -1}]}, "first_frame"),
        ({"tracks": [GOOD["tracks"][0] | {"on_watchlist": False}]}, "on_watchlist"),
        ({"tracks": [GOOD["tracks"][1] | {"on_watchlist": True}]}, "on_watchlist"),
        ({"box_fields": ["frame", "x"]}, "box_fields"),
        ({"tracks": [GOOD["tracks"][0] | {"boxes": [[1, 2, 3]]}]}, "boxes"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(changed, words):
    with pytest.raises(ConfigError, match=words) as caught:
        read(**changed)
    assert caught.value.message.startswith("clip.json")
    assert len(caught.value.message.splitlines()) == 1
    assert caught.value.hint


@given(st.binary(max_size=80))
def test_garbage_is_a_clear_error_and_never_another(raw):
    with pytest.raises(ConfigError):
        parse_truth(raw, where="x")


def test_a_missing_file_is_a_clear_error(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.json"):
        load_truth(tmp_path / "none.json")


def test_a_run_is_given_labels_and_pictures_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(b"x")
    given_to_run = read().enrolment(tmp_path)
    assert given_to_run == [
        ("a", [tmp_path / "a/1.jpg"]),
        ("b", [tmp_path / "b/1.jpg", tmp_path / "b/2.jpg"]),
    ]


def test_the_wrong_folder_of_faces_is_noticed(tmp_path):
    with pytest.raises(ConfigError, match="no folder"):
        read().enrolment(tmp_path / "none")
    with pytest.raises(ConfigError, match="holds none"):
        read().enrolment(tmp_path)
    assert read(watchlist=[], tracks=[]).enrolment(tmp_path) == []


@pytest.mark.assets
def test_the_shared_clips_are_read(assets):
    sizes = {name: load_truth(assets / "video" / f"{name}.json") for name in ("walk_720p", "crowd_1080p", "empty_720p")}
    assert {n: (len(t.tracks), len(t.listed), len(t.watchlist)) for n, t in sizes.items()} == {
        "walk_720p": (20, 10, 200),
        "crowd_1080p": (120, 41, 500),
        "empty_720p": (0, 0, 0),
    }
