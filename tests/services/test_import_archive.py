"""A ZIP of a CSV and its pictures: whole and plain, or refused before anything of it is unpacked."""

import io
import stat
import struct
import warnings
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.domain.errors import WatchlistError
from lfr.services.import_archive import archive_rows
from lfr.services.pictures import MOST_BYTES, Refused

CSV = b"label,image\nAda,pics/a.jpg\nBea,b.png\n"
GOOD = {"list/people.csv": CSV, "list/pics/a.jpg": b"picture a", "list/b.png": b"picture b"}


def packed(members, method=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return held.getvalue()


def rows_of(data):
    return archive_rows(io.BytesIO(data), "the upload")


def test_a_csv_and_its_pictures():
    rows = rows_of(packed(GOOD))
    assert [(row.label, row.source) for row in rows] == [("Ada", "pics/a.jpg"), ("Bea", "b.png")]
    assert [row.read() for row in rows] == [b"picture a", b"picture b"]


def test_a_file_is_read_in_place(tmp_path):
    path = tmp_path / "people.zip"
    path.write_bytes(packed(GOOD))
    assert archive_rows(path, str(path))[1].read() == b"picture b"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["../b.png", "/b.png", "list/../../b.png", "nothing.png", "list"])
def test_a_row_that_names_what_is_not_there(name):
    rows = rows_of(packed(GOOD | {"list/people.csv": b"label,image\nAda,b.png\nEve," + name.encode() + b"\n"}))
    assert rows[0].open is not None
    assert rows[1].refused.reason == "unreadable"


def encrypted():
    data = bytearray(packed(GOOD))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(sign)
        data[start + at] |= 1
    return bytes(data)


def linked():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("people.csv", CSV)
        link = zipfile.ZipInfo("pics/a.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return held.getvalue()


def twice():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr("people.csv", CSV)
        archive.writestr("people.csv", CSV)
    return held.getvalue()


def overlapping():
    """Two names for one stored member, as a bomb of shared content has thousands."""
    data = bytearray(packed(GOOD))
    first = data.find(b"PK\x01\x02")
    second = data.find(b"PK\x01\x02", first + 4)
    third = data.find(b"PK\x01\x02", second + 4)
    data[third + 42 : third + 46] = data[second + 42 : second + 46]
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (packed(GOOD | {"../x.jpg": b"x"}), "leads out"),
        (packed(GOOD | {"/etc/x.jpg": b"x"}), "leads out"),
        (packed(GOOD | {"a\\..\\x.jpg": b"x"}), "leads out"),
        (packed(GOOD | {"C:x.jpg": b"x"}), "leads out"),
        (packed(GOOD | {"pics/more.zip": b"PK\x03\x04"}), "archive within"),
        (packed(GOOD | {"bomb.jpg": bytes(20 << 20)}), "grows more than"),
        (packed(GOOD, zipfile.ZIP_BZIP2), "unusual way"),
        (packed(GOOD, zipfile.ZIP_LZMA), "unusual way"),
        (packed(GOOD | {"other.csv": CSV}), "2 CSV files"),
        (packed({"a.jpg": b"x"}), "0 CSV files"),
        (packed({"people.csv": b"label,image\n"}), "no picture"),
        (packed({"people.csv": b"\xff\xfe"}), "not UTF-8"),
        (encrypted(), "encrypted"),
        (linked(), "no plain file"),
        (twice(), "same name twice"),
        (overlapping(), "overlap|no whole ZIP"),
        (packed(GOOD)[:-30], "no whole ZIP"),
        (packed(GOOD)[: len(packed(GOOD)) // 2], "no whole ZIP"),
        (b"", "no whole ZIP"),
        (CSV, "no whole ZIP"),
    ],
)
def test_an_archive_that_tries_anything_is_refused_whole(data, match):
    with pytest.raises(WatchlistError, match=match) as failed:
        rows_of(data)
    assert failed.value.hint


def test_what_lies_about_its_size_or_content_is_refused():
    data = bytearray(packed(GOOD | {"list/pics/a.jpg": b"x" * 1000}, zipfile.ZIP_STORED))
    at = data.find(b"x" * 1000)
    data[at] = 0
    assert rows_of(bytes(data))[0].read() == Refused("unreadable", "damaged in the archive")
    hidden = rows_of(packed(GOOD | {"list/pics/a.jpg": packed(GOOD)}))
    assert hidden[0].read().detail == "an archive under another name"


def test_a_picture_above_the_limit_is_refused_by_its_row():
    data = packed(GOOD | {"list/pics/a.jpg": bytes(MOST_BYTES + 1)}, zipfile.ZIP_STORED)
    first, second = rows_of(data)
    assert first.read().reason == "too large"
    assert second.read() == b"picture b"


@settings(max_examples=150)
@given(st.data())
def test_damage_anywhere_raises_nothing_else(data):
    whole = bytearray(packed(GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        rows = rows_of(bytes(whole[:cut] if data.draw(st.booleans()) else whole))
    except WatchlistError:
        return
    for row in rows:
        assert row.open is None or isinstance(row.read(), (bytes, Refused))


def test_a_declared_size_that_is_absurd():
    data = bytearray(packed(GOOD))
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    with pytest.raises(WatchlistError, match=r"too large|grows|no whole"):
        rows_of(bytes(data))
