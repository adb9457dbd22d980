"""Reading a set: everything odd is counted."""

import pytest

from lfr.domain.errors import SourceError
from lfr.evaluation.labelled_set import read_set, same_files


def make(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_people_pictures_and_what_is_neither(tmp_path):
    made = make(tmp_path, {"b/1.jpg": b"1", "b/2.PNG": b"2", "a/1.jpg": b"3", "a/notes.txt": b"", "list.csv": b""})
    (tmp_path / "nobody").mkdir()
    found = read_set(made)
    assert found.people == ("a", "b")
    assert found.owner.tolist() == [0, 1, 1]
    assert [rows.tolist() for rows in found.rows] == [[0], [1, 2]]
    assert (found.empty, found.other_files, found.single) == (("nobody",), 2, 1)


def test_equal_files_are_found_whoever_they_belong_to(tmp_path):
    made = make(tmp_path, {"a/1.jpg": b"same", "a/2.jpg": b"else", "b/1.jpg": b"same", "c/1.jpg": b"lone one"})
    assert same_files(read_set(made).pictures) == [(0, 2)]


def test_an_empty_set_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(SourceError):
            read_set(folder)
