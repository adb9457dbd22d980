"""Who walks and who is listed: drawn by the seed, a listed picture never shown, whatever lacks is named."""

from itertools import pairwise

import cv2
import msgspec
import numpy as np
import pytest

from lfr.domain.errors import SourceError
from lfr.evaluation.simulation.cast import choose_cast
from lfr.evaluation.simulation.people import people_in
from lfr.evaluation.simulation.settings import Settings
from tests.support.painted_faces import painted_faces, still

SETTINGS = Settings(people=5, listed=3, watchlist_size=6, seed=4)


def replaced(**changed):
    return msgspec.structs.replace(SETTINGS, **changed)


def test_a_folder_is_a_person_and_so_is_a_loose_picture(tmp_path):
    painted_faces(tmp_path, people=2, pictures=2)
    cv2.imwrite(str(tmp_path / "zoe.png"), still(3))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    people = people_in(tmp_path)
    assert [person.name for person in people] == ["p00", "p01", "zoe"]
    assert people[0].pictures == ("p00/0.png", "p00/1.png")
    assert people[2].pictures == ("zoe.png",)


def test_the_same_seed_chooses_the_same_people(painted, engine):
    one, two = (choose_cast(painted, SETTINGS, engine) for _ in range(2))
    assert [w.identity for w in one.walkers] == [w.identity for w in two.walkers]
    assert one.entries == two.entries
    assert all(
        np.array_equal(a.heads[0].picture, b.heads[0].picture) for a, b in zip(one.walkers, two.walkers, strict=True)
    )
    others = [choose_cast(painted, replaced(seed=seed), engine) for seed in range(5, 9)]
    assert any([w.identity for w in other.walkers] != [w.identity for w in one.walkers] for other in others)


def test_everybody_is_there_once_and_what_is_listed_is_not_shown(painted, engine):
    cast = choose_cast(painted, SETTINGS, engine)
    names = [walker.identity for walker in cast.walkers]
    assert len(set(names)) == len(names) == 5
    listed = [walker for walker in cast.walkers if walker.enrol]
    assert len(listed) == 3
    for walker in listed:
        assert not set(walker.enrol) & set(walker.probes)
        assert len(walker.heads) == len(walker.probes) == 2
    entries = {entry.id: entry for entry in cast.entries}
    assert len(entries) == 6
    assert {name for name, entry in entries.items() if entry.appears} == {walker.identity for walker in listed}
    assert all(a.id < b.id for a, b in pairwise(cast.entries))


def test_pictures_without_a_face_are_passed_over_and_counted(tmp_path, engine):
    folder = painted_faces(tmp_path, people=4, pictures=2)
    (folder / "p00" / "0.png").write_bytes(b"no picture")
    cv2.imwrite(str(folder / "p01" / "0.png"), np.full((240, 240, 3), 90, np.uint8))
    cast = choose_cast(folder, replaced(people=4, listed=0, watchlist_size=0), engine)
    assert cast.faceless == 2
    assert {w.identity: w.probes for w in cast.walkers}["p01"] == ("p01/1.png",)


def test_one_picture_each_can_be_listed_only_where_that_is_said(tmp_path, engine):
    folder = painted_faces(tmp_path, people=4, pictures=1)
    some = replaced(people=3, listed=2, watchlist_size=3)
    with pytest.raises(SourceError, match="another to show are needed, 0 are there") as caught:
        choose_cast(folder, some, engine)
    assert "--same-picture" in caught.value.hint
    cast = choose_cast(folder, replaced(people=3, listed=2, watchlist_size=3, same_picture=True), engine)
    assert all(walker.enrol == walker.probes for walker in cast.walkers if walker.enrol)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"people": 9}, "9 people to walk past are needed, 8 are there"),
        ({"people": 9, "listed": 9, "watchlist_size": 9}, "9 people with one picture to list"),
        ({"watchlist_size": 7}, "7 people to list are needed, 6 are there"),
    ],
)
def test_too_few_people_are_told_with_their_number(painted, engine, changed, words):
    with pytest.raises(SourceError, match=words) as caught:
        choose_cast(painted, replaced(**changed), engine)
    assert caught.value.hint


def test_people_whose_faces_are_not_found_are_no_people(tmp_path, engine):
    folder = painted_faces(tmp_path / "a", people=3, pictures=1)
    cv2.imwrite(str(folder / "p00" / "0.png"), np.full((240, 240, 3), 90, np.uint8))
    with pytest.raises(SourceError, match=r"2 are there \(1 pictures in which no face was found\)"):
        choose_cast(folder, replaced(people=3, listed=0, watchlist_size=0), engine)


@pytest.mark.parametrize("what", ["missing", "file", "empty"])
def test_a_folder_without_pictures_is_a_clear_error(tmp_path, what):
    place = tmp_path / what
    if what == "file":
        place.write_text("x")
    elif what == "empty":
        place.mkdir()
    with pytest.raises(SourceError, match=what) as caught:
        people_in(place)
    assert caught.value.hint


def test_who_wears_something_is_drawn_by_the_seed(painted, engine):
    bare = choose_cast(painted, SETTINGS, engine)
    dressed = choose_cast(painted, replaced(occluded=1.0), engine)
    assert [w.identity for w in bare.walkers] == [w.identity for w in dressed.walkers]
    assert all(head.covered == 0 for walker in bare.walkers for head in walker.heads)
    assert all(head.covered > 0 for walker in dressed.walkers for head in walker.heads)
