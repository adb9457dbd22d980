"""Reading a row: each field has one form, and nothing that is read raises."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.listing import FIELDS, LIFE_YEARS, read


def test_a_row_as_values():
    listing, faults = read({
        "category": "Wanted_by court", "date_of_birth": "1980-02-29", "vulnerable": "no", "max_sentence_years": "life",
        "unconvicted": "YES", "taken_on": " 2025-01-31 ", "reason": "Failed to appear\nat court", "expires_on": "",
    })  # fmt: skip
    assert faults == ()
    person, picture = listing.person, listing.picture
    assert (person.category, person.max_sentence_years, person.vulnerable) == ("wanted-by-court", LIFE_YEARS, False)
    assert (person.details.date_of_birth, picture.taken_on) == (date(1980, 2, 29), date(2025, 1, 31))
    assert (picture.unconvicted, person.expires_on) == (True, None)
    assert "expires_on" not in listing.stated
    assert "vulnerable" in listing.stated


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("date_of_birth", "29/02/1980"),
        ("date_of_birth", "1981-02-29"),
        ("date_of_birth", "19800229"),
        ("taken_on", "2025-W01-1"),
        ("max_sentence_years", "-1"),
        ("max_sentence_years", "nan"),
        ("max_sentence_years", "1e9"),
        ("vulnerable", "maybe"),
        ("reason", "a\x00b"),
        ("reason", "x" * 2001),
        ("approver", "x" * 201),
        ("nominal_ref", "x" * 201),
        ("nominal_ref", "\ufdfa" * 150),  # 2,250 letters in the form in which it is compared
        ("category", "x" * 64),
    ],
)
def test_a_value_of_another_form_is_named_and_not_quoted(name, cell):
    listing, (fault,) = read({name: cell})
    assert fault.reason == "invalid value"
    assert fault.detail.startswith(f"{name} must be ")
    assert cell not in fault.detail
    assert name not in listing.stated


@given(st.dictionaries(st.sampled_from([*FIELDS, "other"]), st.text(max_size=40)))
def test_no_row_raises(raw):
    listing, faults = read(raw)
    filled = {name for name, cell in raw.items() if cell.strip() and name in FIELDS}
    assert listing.stated | {fault.detail.split()[0] for fault in faults} == filled
