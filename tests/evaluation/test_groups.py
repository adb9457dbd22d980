"""Groups from a CSV: whoever is missing is shown, and a wrong table is refused."""

import pytest

from lfr.domain.errors import ConfigError
from lfr.evaluation.groups import read_groups

PEOPLE = ("ann", "bob", "cem", "dot")


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "groups.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_columns_that_end_in_label_are_taken(table):
    found = read_groups(table("identity,age,sex_label\nann,30,f\nbob,40,m\ncem,,\neve,1,f\n"), PEOPLE)
    assert found.labels == {"sex_label": ("f", "m", "not stated", "not stated")}
    assert found.strangers == 1
    assert {name: mask.tolist() for name, mask in found.masks("sex_label").items()} == {
        "f": [True, False, False, False],
        "m": [False, True, False, False],
        "not stated": [False, False, True, True],
    }


@pytest.mark.rule("I1")
def test_characteristics_that_no_column_speaks_of_are_named(table):
    found = read_groups(table("identity,gender_label,image_label\nann,f,x\n"), PEOPLE)
    assert found.missing == ("ethnicity", "age")
    whole = read_groups(table("identity,sex,ethnicity_label,age_band\nann,f,x,1\n"), PEOPLE, ["sex", "age_band"])
    assert whole.missing == ("ethnicity",)


@pytest.mark.rule("I1")
def test_an_intersection_that_nobody_is_in_is_still_there(table):
    path = table("identity,sex_label,age_label\nann,f,young\nbob,m,old\ncem,m,old\ndot,f,young\n")
    found = read_groups(path, PEOPLE).intersections()
    assert {name: int(mask.sum()) for name, mask in found["sex_label & age_label"].items()} == {
        "f & old": 0,
        "f & young": 2,
        "m & old": 2,
        "m & young": 0,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,sex_label\nann,f\n", "no column `identity`"),
        ("identity,sex\nann,f\n", "ends in `_label`"),
        ("identity,sex_label\nann,f\nann,m\n", "line 3: a second row"),
        ("identity,sex_label\nann,f,m\n", "more or fewer fields"),
        ("identity,sex_label\nann\n", "more or fewer fields"),
        ("", "no column `identity`"),
    ],
)
def test_a_wrong_table_is_refused(table, text, words):
    with pytest.raises(ConfigError, match=words):
        read_groups(table(text), PEOPLE)


def test_a_column_that_is_not_there_is_named_with_those_that_are(table, tmp_path):
    with pytest.raises(ConfigError) as refused:
        read_groups(table("identity,sex\nann,f\n"), PEOPLE, ["age"])
    assert "'age'" in refused.value.message
    assert "identity, sex" in refused.value.hint
    with pytest.raises(ConfigError, match="cannot read"):
        read_groups(tmp_path / "gone.csv", PEOPLE)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="no CSV"):
        read_groups(tmp_path / "bytes.csv", PEOPLE)
