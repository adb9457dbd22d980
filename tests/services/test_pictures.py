"""Pictures of strangers: whatever the bytes are, a picture or a reason comes back."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from lfr.services import pictures
from lfr.services.pictures import Refused, cut_out, decode


def scene(width=64, height=48):
    """Left half red, right half blue, a white stripe on top (RGB)."""
    picture = Pillow.new("RGB", (width, height), (200, 0, 0))
    picture.paste((0, 0, 200), (width // 2, 0, width, height))
    picture.paste((255, 255, 255), (0, 0, width, height // 6))
    return picture


def encoded(picture, form, **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def png_header(width, height):
    """A PNG that claims a size and brings almost nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP"])
def test_the_four_forms_come_out_as_bgr(form):
    picture = decode(encoded(scene(), form))
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.writeable
    blue, _, red = picture[30, 10]
    assert red > 150 > blue
    blue, _, red = picture[30, 50]
    assert blue > 150 > red


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "LA", "1", "I;16"])
def test_other_kinds_of_pixels(mode):
    if mode == "I;16":
        picture = Pillow.fromarray(np.full((48, 64), 40_000, np.uint16))
    else:
        picture = scene().convert("L" if mode == "LA" else "RGB").convert(mode)
    found = decode(encoded(picture, "JPEG" if mode == "CMYK" else "PNG"))
    assert found.shape == (48, 64, 3)
    assert found[2, 30].min() > 130


def test_behind_a_transparent_pixel_is_paper():
    picture = Pillow.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert decode(encoded(picture, "PNG")).min() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_put_upright(orientation):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = scene() if orientation == 1 else scene().transpose(Pillow.Transpose(undo[orientation]))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    picture = decode(encoded(stored, "JPEG", exif=exif, quality=95))
    assert picture.shape == (48, 64, 3)
    assert picture[1, 32].min() > 200
    assert picture[40, 5, 2] > 150 > picture[40, 5, 0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unreadable"),
        (b"hello", "unreadable"),
        (encoded(scene(), "JPEG")[:300], "unreadable"),
        (encoded(scene(), "PNG")[:-40], "unreadable"),
        (encoded(scene(), "GIF"), "unreadable"),
        (encoded(scene(), "TIFF"), "unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unreadable"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unreadable"),
        (png_header(0, 10), "unreadable"),
        (png_header(10_000, 10_000), "too large"),
        (png_header(60_000, 60_000), "too large"),
        (png_header(30_000, 2), "too large"),
    ],
)
def test_what_is_no_picture(data, reason):
    found = decode(data)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert found.detail


def test_a_hundred_megapixels_are_never_decoded(monkeypatch):
    data = encoded(Pillow.new("L", (10_000, 10_000)), "PNG")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    assert decode(data).reason == "too large"


def test_too_many_bytes(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_BYTES", 100)
    assert decode(encoded(scene(), "PNG")).reason == "too large"


def test_a_name_does_not_matter_but_the_bytes_do():
    assert isinstance(decode(encoded(scene(), "WEBP")), np.ndarray)


GOOD = [encoded(scene(), form) for form in ("JPEG", "PNG", "WEBP", "BMP")]


@given(st.sampled_from(GOOD), st.data())
def test_damaged_pictures_never_raise(good, data):
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    found = decode(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    assert isinstance(found, (Refused, np.ndarray))


@given(st.binary(max_size=200))
def test_noise_never_raises(data):
    assert isinstance(decode(data), Refused)


def test_the_cut_out_has_a_margin_and_a_limit():
    picture = np.full((400, 600, 3), 90, np.uint8)
    cut = cv2.imdecode(np.frombuffer(cut_out(picture, (200, 100, 300, 200)), np.uint8), cv2.IMREAD_COLOR)
    assert cut.shape == (180, 180, 3)
    large = np.zeros((2000, 1600, 3), np.uint8)
    cut = cv2.imdecode(np.frombuffer(cut_out(large, (-50, 0, 1600, 2100)), np.uint8), cv2.IMREAD_COLOR)
    assert max(cut.shape) == 320
    assert (picture == 90).all()
