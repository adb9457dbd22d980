"""What an address opens, and what no message may repeat."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.config import Camera, public_url
from lfr.domain.errors import SourceError
from lfr.vision.source import open_source

CAMERA = Camera(id="north", url="x", pace="file")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ftp://user:hush@host/clip.mp4", "ftp://host/clip.mp4"),
        ("rtmp://user:hu@sh@host/live?token=hush", "rtmp://host/live"),
        ("user:hush@host/live", "host/live"),
        ("rtsp:user:hush@host/live", "host/live"),
    ],
)
def test_an_address_that_is_none_of_ours_is_refused_without_its_secrets(address: str, shown: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(CAMERA, address)
    assert shown in caught.value.message
    assert "hush" not in caught.value.message + caught.value.hint
    assert caught.value.hint


def test_a_scene_opens_by_name() -> None:
    source = open_source(CAMERA, "scene:demo")
    try:
        frame = source.read(10.0)
        assert frame is not None
        assert frame.image is not None
    finally:
        source.close()


def test_a_path_with_odd_signs_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "a@b?c#d.mp4"
    with pytest.raises(SourceError) as caught:
        open_source(CAMERA, str(path))
    assert caught.value.message == f"{path}: no such file or directory"


SECRET = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=12)


@given(SECRET, SECRET, st.sampled_from(["rtsp", "rtsps", "http", "https", "rtsp+tcp"]))
def test_public_url_never_shows_user_or_password_whatever_they_are_made_of(
    user: str, password: str, scheme: str
) -> None:
    assert public_url(f"{scheme}://{user}:{password}@host.example:554/path?a=b") == f"{scheme}://host.example:554/path"


@pytest.mark.parametrize("path", ["user=admin&password=hush&channel=1", "live/login=a,pwd=hush/1"])
def test_public_url_masks_secrets_in_the_path(path: str) -> None:
    shown = public_url(f"rtsp://host:554/{path}")
    assert "hush" not in shown
    assert shown.startswith("rtsp://host:554/")
