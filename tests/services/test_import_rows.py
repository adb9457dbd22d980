"""What an import is read from, and the report that is written of it."""

import csv
import os
import stat
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import WatchlistError
from lfr.domain.listing import FIELDS
from lfr.domain.watchlist import Fault, RowResult
from lfr.services import policies
from lfr.services.import_report import safe, template, write_report
from lfr.services.import_rows import read_picture, read_rows
from lfr.services.pictures import MOST_BYTES, Refused


def write(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_folder_per_person(tmp_path):
    write(tmp_path, "Bea/2.jpg", "Bea/1.png", "Ada/a.jpg", ".hidden/x.jpg", "Ada/.DS_Store")
    (tmp_path / "Cy").mkdir()
    rows = read_rows(tmp_path)
    assert [(row.label, row.source) for row in rows] == [
        ("Ada", "Ada/a.jpg"), ("Bea", "Bea/1.png"), ("Bea", "Bea/2.jpg"), ("Cy", "Cy"),
    ]  # fmt: skip
    assert [row.open is None for row in rows] == [False, False, False, True]
    assert rows[-1].refused.reason == "incomplete"


def test_a_picture_of_no_person_is_refused(tmp_path):
    write(tmp_path, "Ada/a.jpg", "loose.jpg")
    rows = read_rows(tmp_path)
    assert rows[1].refused.reason == "incomplete"


def test_a_list_in_a_folder_is_not_taken_for_people(tmp_path):
    write(tmp_path, "list.csv", "images/a.jpg")
    with pytest.raises(WatchlistError, match=r"list\.csv"):
        read_rows(tmp_path)


def test_a_csv_beside_its_pictures(tmp_path):
    write(tmp_path, "pics/a.jpg", "b.png")
    path = tmp_path / "list.csv"
    path.write_text(
        "\ufeffImage , LABEL,reason\npics/a.jpg, Ada ,x\nb.png,Bea,\n,Cy,\nb.png,,\nb.png,Di\nb.png,Ed,a,b\n",
        encoding="utf-8",
    )
    rows = read_rows(path)
    assert [(row.label, row.source, row.open is not None) for row in rows] == [
        ("Ada", "pics/a.jpg", True), ("Bea", "b.png", True), ("Cy", "", False), ("", "b.png", False),
        ("Di", "b.png", False), ("Ed", "b.png", False),
    ]  # fmt: skip
    assert [dict(row.fields) for row in rows[:2]] == [{"reason": "x"}, {}]
    assert rows[-1].refused.detail == "4 cells under 3 columns"


@pytest.mark.parametrize("name", ["../outside.jpg", "/etc/passwd", "pics/../../outside.jpg", "link.jpg", "a\0b"])
def test_nothing_outside_is_read(tmp_path, name):
    write(tmp_path, "outside.jpg", "in/pics/a.jpg")
    (tmp_path / "in" / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    path = tmp_path / "in" / "list.csv"
    path.write_text(f"label,image\nAda,pics/a.jpg\nEve,{name}\n")
    row = read_rows(path)[1]
    assert row.open is None
    assert row.refused.reason == "unreadable"


def test_a_link_out_of_a_folder_is_not_followed(tmp_path):
    write(tmp_path, "outside.jpg", "in/Ada/a.jpg")
    (tmp_path / "in" / "Ada" / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    assert [row.open is None for row in read_rows(tmp_path / "in")] == [False, True]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"name,file\nAda,a.jpg\n",
        b"label,image\n",
        b"label,image,note\nAda,a.jpg,x\n",
        b"label,image,reason,reason\nAda,a.jpg,x,y\n",
        "label,image\nAd\u00e1,a.jpg\n".encode("latin-1"),
        "label,image\nAda,a.jpg\n".encode("utf-16"),
        b"label,image\n\xff\xfe,a\n",
        b'label,image\n"Ada,a.jpg\n',
        b"\0",
    ],
)
def test_a_csv_that_is_none(tmp_path, content):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(WatchlistError) as failed:
        read_rows(path)
    assert failed.value.hint


def test_neither_folder_nor_file(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "nothing", tmp_path / "empty"):
        with pytest.raises(WatchlistError):
            read_rows(path)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_no_csv_raises_anything_else(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("csv") / "list.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        csv.writer(file).writerows([("label", "image"), *cells])
    try:
        rows = read_rows(path)
    except WatchlistError:
        return
    assert len(rows) >= 1


@pytest.mark.parametrize("label", ["", " ", "x" * 201, "two\nlines", "\x1b[31mred"])
def test_labels_that_cannot_be_used(tmp_path, label):
    write(tmp_path, "a.jpg")
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("label", "image"), ("Ada", "a.jpg"), (label, "a.jpg")])
    assert read_rows(path)[1].refused.reason == "incomplete"


def test_only_plain_files_of_a_size_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    found = {name: read_picture(tmp_path / name) for name in ("pipe", "folder", "huge", "nothing")}
    assert {name: refused.reason for name, refused in found.items()} == {
        "pipe": "unreadable", "folder": "unreadable", "huge": "too large", "nothing": "unreadable",
    }  # fmt: skip
    (tmp_path / "fine").write_bytes(b"abc")
    assert read_picture(tmp_path / "fine") == b"abc"
    assert all(isinstance(refused, Refused) for refused in found.values())


def test_the_report(tmp_path):
    path = tmp_path / "report.csv"
    faults = (
        Fault("missing field", "reason is missing", "B2"),
        Fault("expired", "too late", "B2"),
        Fault("minor", "-1", "B8"),
    )
    rows = [
        RowResult("Ada", "Ada/a.jpg", True, entry_id=UUID(int=1), warnings=("B6: old",)),
        RowResult("=cmd()", "\udcff.jpg", False, "no face", "-1"),
        RowResult(" @x", "\tb.jpg", False, "missing field", "reason is missing; too late; -1", faults=faults),
        RowResult("Cy", "c.jpg", False, already=True, entry_id=UUID(int=2)),
    ]
    write_report(rows, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["result"] for line in lines] == ["enrolled", "refused", "refused", "enrolled already"]
    assert (lines[0]["entry_id"], lines[0]["warnings"]) == (str(UUID(int=1)), "B6: old")
    assert (lines[1]["label"], lines[1]["reason"], lines[1]["detail"]) == ("'=cmd()", "no face", "'-1")
    assert (lines[2]["label"], lines[2]["image"]) == ("' @x", "'\tb.jpg")
    assert (lines[2]["reason"], lines[2]["rule"]) == ("missing field; expired; minor", "B2 B8")
    assert list(tmp_path.iterdir()) == [path]


@given(st.text())
def test_no_cell_is_a_formula(cell):
    assert not safe(cell).lstrip().startswith(("=", "+", "-", "@"))
    assert safe(cell).endswith(cell)


def test_the_template_reads_back(tmp_path):
    write(tmp_path, "a.jpg")
    path = tmp_path / "list.csv"
    text = template(policies.load("uk-default"))
    head, about = list(csv.reader(text.splitlines()))
    assert head[:2] == ["label", "image"]
    assert head[2:] == list(FIELDS)
    assert about[head.index("reason")].startswith("REQUIRED")
    assert not about[head.index("expires_on")].startswith("REQUIRED")
    path.write_text(f"{','.join(head)}\nAda,a.jpg{',' * len(FIELDS)}\n")
    assert read_rows(path)[0].open is not None


def test_a_report_that_cannot_be_written(tmp_path):
    with pytest.raises(WatchlistError, match="cannot write"):
        write_report([], tmp_path / "nowhere" / "report.csv")
