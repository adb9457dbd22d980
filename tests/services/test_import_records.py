"""ANSI/NIST-ITL records as rows; the records are made here with the library that reads them."""

import cv2
import nistitl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.domain.errors import WatchlistError
from lfr.services.import_records import TABLE, face_of, record_rows
from lfr.services.import_source import rows_of
from lfr.services.pictures import Refused

JPEG = cv2.imencode(".jpg", np.full((64, 64, 3), 90, np.uint8))[1].tobytes()
PERSON = {10: "CASE/4", 14: "REF 77", 18: "LOVELACE, ADA", 22: "19800229"}


def face(idc, picture=JPEG, kind="FACE", taken="20250131"):
    record = nistitl.AsciiRecord(10)
    record.IDC = idc
    record += nistitl.Field(10, 3, kind, alias="IMT")
    record += nistitl.Field(10, 5, taken, alias="PHD")
    record += nistitl.BinaryField(10, 999, picture, alias="DATA")
    return record


def record(*faces, person=PERSON, charset=None):
    message = nistitl.Message()
    message.TOT = "WATCH"
    message[0].DAT = "20261124"
    message[0].TCN = "TCN-1"
    if charset:
        head = message[0]
        head += nistitl.Field(1, 15, charset)
    about = nistitl.AsciiRecord(2)
    about.IDC = 0
    for tag, value in person.items():
        about += nistitl.Field(2, tag, value)
    message += about
    for one in faces:
        message += one
    return message.NIST


def written(folder, data, name="a.an2"):
    path = folder / name
    path.write_bytes(data)
    return path


def test_who_from_type_2_and_the_face_from_type_10(tmp_path):
    (row,) = record_rows(written(tmp_path, record(face(1))))
    assert (row.label, row.source) == ("LOVELACE, ADA", "a.an2")
    assert dict(row.fields) == {
        "nominal_ref": "REF 77", "date_of_birth": "1980-02-29", "evidence_ref": "CASE/4", "taken_on": "2025-01-31",
    }  # fmt: skip
    assert row.read() == JPEG
    assert set(TABLE) == {"label", *row.fields}


def test_each_face_is_a_row_and_nothing_else_is(tmp_path):
    other = JPEG[:-2] + b"\xff\xd9"
    data = record(face(1), face(2, kind="SCAR"), face(3, other, taken="20240101"))
    rows = record_rows(written(tmp_path, data))
    assert [row.source for row in rows] == ["a.an2#1", "a.an2#2"]
    assert [row.fields["taken_on"] for row in rows] == ["2025-01-31", "2024-01-01"]
    assert [row.read() for row in rows] == [JPEG, other]


def test_what_a_record_leaves_out(tmp_path):
    (row,) = record_rows(written(tmp_path, record(face(1), person={15: "SID 5", 22: "1980"})))
    assert (row.label, row.fields["nominal_ref"]) == ("SID 5", "SID 5")
    assert row.fields["evidence_ref"] == "TCN-1"
    assert row.fields["date_of_birth"] == "1980"  # to be refused by the row's own rules, by name
    (row,) = record_rows(written(tmp_path, record(face(1), person={})))
    assert row.label == "a"


def test_names_of_other_scripts(tmp_path):
    name = "ŁUKASIEWICZ, JAN".encode().decode("latin-1")
    (row,) = record_rows(written(tmp_path, record(face(1), person={18: name}, charset="003")))
    assert row.label == "ŁUKASIEWICZ, JAN"


def test_a_folder_of_records(tmp_path):
    written(tmp_path, record(face(1)), "a.an2")
    written(tmp_path, b"1.001:nonsense", "b.eft")
    written(tmp_path, record(), "c.nist")
    rows = rows_of(tmp_path, common={"category": "wanted-by-court", "evidence_ref": "unused"})
    assert [(row.source, row.refused and row.refused.reason) for row in rows] == [
        ("a.an2", None), ("b.eft", "unreadable"), ("c.nist", "no face"),
    ]  # fmt: skip
    assert rows[0].fields["category"] == "wanted-by-court"
    assert rows[0].fields["evidence_ref"] == "CASE/4"


def test_a_csv_may_name_records_as_pictures(tmp_path):
    written(tmp_path, record(face(1)))
    (tmp_path / "b.jpg").write_bytes(JPEG)
    path = written(tmp_path, b"label,image,reason\nAda,a.an2,because\nBea,b.jpg,\n", "list.csv")
    first, second = rows_of(path)
    assert (first.label, dict(first.fields)) == ("Ada", {"reason": "because"})
    assert first.read() == second.read() == JPEG


def test_a_record_that_was_uploaded():
    (row,) = rows_of(record(face(1)))
    assert (row.label, row.source, row.read()) == ("LOVELACE, ADA", "the upload", JPEG)
    assert [row.source for row in rows_of(record(face(1), face(2)))] == ["the upload#1", "the upload#2"]
    nobody = record(face(1), person={10: "CASE/4"})
    for data, why in ((record(), "no Type-10"), (record(face(1))[:-9], "no whole"), (nobody, "no label")):
        with pytest.raises(WatchlistError, match=why):
            rows_of(data)


def test_no_faces_at_all(tmp_path):
    with pytest.raises(WatchlistError, match="no face"):
        record_rows(written(tmp_path, record()))
    with pytest.raises(WatchlistError, match="no column"):
        rows_of(written(tmp_path, record(face(1))), common={"nonsense": "x"})


WHOLE = record(face(1, b"not much of a picture"))


@settings(max_examples=200, deadline=2000)
@given(st.data())
def test_damage_anywhere_is_a_refusal(data):
    broken = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(broken)))
    assert isinstance(face_of(bytes(broken[:cut]), 0), (bytes, Refused))


@pytest.mark.parametrize("length", ["0", "1", "00000", "9999999999", "-5"])
def test_lengths_that_lead_nowhere(length):
    broken = WHOLE.replace(b"10.001:", b"10.001:" + length.encode() + b"\x1d10.077:", 1)
    assert isinstance(face_of(broken, 0), (bytes, Refused))
    assert isinstance(face_of(b"1.001:" + length.encode() + b"\x1d1.002:0400\x1c", 0), Refused)
