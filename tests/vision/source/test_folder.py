"""A folder of images as a source."""

import time
from pathlib import Path

import cv2
import pytest

from lfr.config import Camera
from lfr.domain.errors import SourceError
from lfr.vision.source import EndOfSource, Frame, Source, open_source
from tests.support.clips import number_of, numbered


def camera(pace: str = "file", fps: float = 10.0) -> Camera:
    return Camera(id="north", url="folder", pace=pace, process_fps=fps)  # type: ignore[arg-type] # checked by Camera


def fill(folder: Path, count: int) -> Path:
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:03}.png"), numbered(index))
    return folder


def all_frames(source: Source) -> list[Frame]:
    frames = []
    while True:
        try:
            frame = source.read(5.0)
        except EndOfSource:
            return frames
        if frame is not None:
            frames.append(frame)


def test_images_come_in_name_order_and_other_files_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "000.png.d").mkdir()
    source = open_source(camera(), str(tmp_path))
    frames = all_frames(source)
    assert [number_of(f.image) for f in frames if f.image is not None] == [0, 1, 2, 3, 4]
    assert [f.media_s for f in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert (source.stats.read, source.stats.size, source.stats.state) == (5, (160, 64), "ended")
    source.skip_to(3)
    assert [f.index for f in all_frames(source)] == [3, 4]


def test_a_broken_image_among_good_ones_is_counted_and_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    (tmp_path / "001.png").write_bytes(b"broken")
    source = open_source(camera(), str(tmp_path))
    assert [f.image is None for f in all_frames(source)] == [False, True, False]
    assert source.stats.extra["unreadable"] == 1


@pytest.mark.parametrize("names", [[], ["notes.txt"]])
def test_a_folder_without_images_is_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("x")
    with pytest.raises(SourceError, match="no image in this folder"):
        open_source(camera(), str(tmp_path))


def test_a_folder_of_broken_images_is_an_error_in_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_bytes(b"no")
    with pytest.raises(SourceError, match="none of its images"):
        all_frames(open_source(camera(), str(tmp_path)))


def test_live_pace_shows_each_image_when_it_is_due_and_drops_the_overtaken(tmp_path: Path) -> None:
    source = open_source(camera("live", fps=20), str(fill(tmp_path, 12)))
    first = source.read(1.0)
    assert first is not None
    assert source.read(0.0) is None
    time.sleep(0.3)
    later = source.read(1.0)
    assert later is not None
    assert later.index >= 5
    assert source.stats.dropped == later.index - 1
    assert later.stamped_at - later.media_s == pytest.approx(first.stamped_at, abs=1e-3)
    source.skip_to(0)
    rest = all_frames(source)
    assert rest[-1].index == 11
    assert source.stats.read == 12


def test_closing_ends_it(tmp_path: Path) -> None:
    source = open_source(camera(), str(fill(tmp_path, 2)))
    source.close()
    source.close()
    with pytest.raises(EndOfSource):
        source.read(0)
    assert source.stats.state == "stopped"
