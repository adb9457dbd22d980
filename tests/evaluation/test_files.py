import errno
from pathlib import Path

import pytest

from lfr.domain.errors import StorageError
from lfr.evaluation.files import read_picture, require_folder, write_files
from tests.support.faces import painted_picture


def test_a_picture_is_read_and_anything_else_is_none(tmp_path, capfd):
    (tmp_path / "a.png").write_bytes(painted_picture(3))
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    assert read_picture(tmp_path / "a.png").shape == (160, 160, 3)
    assert [read_picture(tmp_path / name) for name in ("text.png", "empty.png", "gone.png", ".")] == [None] * 4
    assert capfd.readouterr() == ("", "")


def test_a_place_that_cannot_be_is_told_with_a_hint(tmp_path):
    require_folder(tmp_path / "a" / "b")
    require_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as refused:
        require_folder(tmp_path / "file" / "out")
    assert "--out" in refused.value.hint


def test_all_files_are_written_or_none(tmp_path, monkeypatch):
    (tmp_path / "one").write_bytes(b"before")
    whole = Path.write_bytes

    def full(path, data):
        if path.name == "two":
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="no space left"):
        write_files(tmp_path, {"one": b"1", "two": b"2"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"one": b"before"}
    monkeypatch.undo()
    assert write_files(tmp_path, {"one": b"1", "two": b"2"}) == [tmp_path / "one", tmp_path / "two"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"one": b"1", "two": b"2"}
