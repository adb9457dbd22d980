"""What keeps a row off the list: each rule at its boundary, and all reasons at once."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import ConfigError, WatchlistError
from lfr.domain.listing import FIELDS
from lfr.domain.listing_batch import judge
from lfr.domain.listing_rules import COERCIVE, foreign, instruction
from lfr.domain.policy import Action, Ages
from lfr.services import policies

UK, DEMO = policies.load("uk-default"), policies.load("demo")
CHILDREN = msgspec.structs.replace(UK, ages=Ages(minors=True))
ON = date(2026, 11, 24)
ROW = {
    "nominal_ref": "N/1", "category": "wanted-by-court", "legal_basis": "Bail Act 1976 s.7", "action": "arrest-check",
    "reason": "Failed to appear", "evidence_ref": "W/77", "offence": "TH68001", "max_sentence_years": "7",
    "date_of_birth": "1980-05-05", "presence": "Seen here on Fridays", "approver": "insp brown",
    "review_on": "2026-12-24", "source": "custody", "lawful_hold": "wanted", "taken_on": "2024-01-01",
    "hold_review_on": "2027-01-01", "unconvicted": "no",
}  # fmt: skip


def one(policy=UK, *, placed=False, on=ON, **changed):
    """The row with these cells changed; None empties one."""
    raw = {name: cell for name, cell in (ROW | changed).items() if cell is not None}
    return judge([("Ada", raw)], policy, on, placed=placed)[0]


def reasons(policy=UK, **changed):
    return {(fault.rule, fault.reason) for fault in one(policy, **changed).faults}


def test_a_row_in_order():
    judged = one()
    assert judged.faults == ()
    assert judged.warnings == ()
    assert one(DEMO, **dict.fromkeys(ROW)).faults != ()
    assert judge([("Ada", {})], DEMO, ON, placed=True)[0].faults == ()


@pytest.mark.rule("B2")
@pytest.mark.rule("B5")
@pytest.mark.parametrize("name", [*UK.watchlist.required, "offence", "max_sentence_years"])
def test_each_required_field_is_asked_for(name):
    (rule,) = {fault.rule for fault in one(**{name: None}).faults if fault.detail.startswith(f"{name} is missing")}
    assert rule == ("B5" if FIELDS[name].of == "picture" else "B2")


@pytest.mark.rule("A5")
def test_presence_is_asked_for_unless_the_use_case_names_the_place():
    assert reasons(presence=None) == {("A5", "missing field")}
    assert one(presence=None, placed=True).faults == ()


@pytest.mark.rule("B1")
@pytest.mark.parametrize("category", ["person-of-interest", "intelligence-only", "volunteer", "wanted"])
def test_a_category_outside_the_list_refuses_the_whole_batch(category):
    with pytest.raises(WatchlistError, match=r"nothing was imported: row 2: .*\(B1\)"):
        judge([("Ada", ROW), ("Bea", ROW | {"nominal_ref": "N/2", "category": category})], UK, ON, placed=False)


@pytest.mark.rule("B1")
def test_the_legal_basis_belongs_to_the_category():
    assert reasons(legal_basis="PACE 1984 s.24") == {("B1", "not allowed")}


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    "source",
    ["passport", "Driving Licence", "dvla_photo", "immigration", "visa-office", "internet", "social media",
     "web-scraped", "private-list", "retail", "press", "unknown"],
)  # fmt: skip
def test_a_foreign_source_refuses_the_whole_batch(source):
    with pytest.raises(WatchlistError, match=r"\(B11\)"):
        one(source=source)


@pytest.mark.rule("B11")
def test_no_policy_can_allow_a_forbidden_source():
    allowed = msgspec.structs.replace(
        UK, sources=(*UK.sources, msgspec.structs.replace(UK.sources[0], code="passport-office"))
    )
    with pytest.raises(WatchlistError, match="passports are not allowed under any policy"):
        one(allowed, source="passport-office")
    assert not any(foreign(source.code) for source in (*UK.sources, *DEMO.sources))


@pytest.mark.rule("B2")
def test_the_action_belongs_to_the_category_and_dates_lie_ahead():
    assert reasons(action="order-check") == {("B2", "not allowed")}
    assert reasons(review_on="2026-11-23") == {("B2", "expired")}
    assert reasons(expires_on="2026-11-23") == {("B2", "expired")}
    assert reasons(review_on="2026-11-24", expires_on="2026-11-24") == set()


@pytest.mark.rule("B3")
def test_a_case_below_the_floor_needs_a_second_signature():
    assert any(said.startswith("B3") for said in one(max_sentence_years="0.99").warnings)
    assert not one(max_sentence_years="1").warnings
    assert not one(max_sentence_years="life").warnings


@pytest.mark.rule("B5")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"hold_review_on": "2026-11-23"}, "provenance"),
        ({"hold_review_on": "2026-11-24"}, None),
        ({"unconvicted": "yes", "taken_on": "2020-11-23"}, "provenance"),
        ({"unconvicted": "yes", "taken_on": "2020-11-24"}, None),
        ({"unconvicted": "yes", "lawful_hold": "convicted"}, "provenance"),
        ({"lawful_hold": "missing"}, "provenance"),
        ({"taken_on": "2026-11-25"}, "invalid value"),
        ({"taken_on": "2026-11-24"}, None),
    ],
)
def test_a_picture_must_be_held_lawfully(changed, reason):
    assert reasons(**changed) == (set() if reason is None else {("B5", reason)})


@pytest.mark.rule("B6")
def test_an_old_picture_is_warned_of():
    assert any("look for a newer one" in said for said in one(taken_on="2016-11-23").warnings)
    assert not one(taken_on="2016-11-24").warnings


@pytest.mark.rule("B8")
@pytest.mark.parametrize(
    ("born", "listed"),
    [("2008-11-24", True), ("2008-11-25", False), ("2013-11-24", False), ("2013-11-25", False), (None, False)],
)
def test_nobody_under_18_by_default(born, listed):
    assert (("B8", "minor") in reasons(date_of_birth=born)) is not listed


@pytest.mark.rule("B8")
def test_a_child_needs_a_plan_and_a_signature_where_the_policy_lists_any():
    assert reasons(CHILDREN, date_of_birth="2008-11-25") == {("B8", "missing field")}
    judged = one(CHILDREN, date_of_birth="2008-11-25", safeguarding="With the children's services, ref. 9")
    assert judged.faults == ()
    assert any(said.startswith("B8") for said in judged.warnings)
    assert ("B8", "missing field") in reasons(CHILDREN, date_of_birth=None)
    assert not one(CHILDREN, date_of_birth="2008-11-24").warnings


@pytest.mark.rule("B8")
@pytest.mark.parametrize("born", ["2026-11-25", "1905-11-24"])
def test_a_date_of_birth_that_cannot_be(born):
    assert reasons(date_of_birth=born) == {("B8", "invalid value")}


@pytest.mark.rule("B9")
def test_the_vulnerable_are_listed_for_their_welfare_only():
    assert reasons(vulnerable="yes") == {("B9", "not allowed")}
    missing = {"category": "missing-at-risk", "action": "welfare-check", "legal_basis": "Common law",
               "source": "family", "lawful_hold": "missing", "vulnerable": "yes", "offence": None,
               "max_sentence_years": None}  # fmt: skip
    assert one(**missing).faults == ()


@pytest.mark.rule("B9")
def test_victims_and_witnesses_are_off_by_default():
    witness = {"category": "victim-or-witness", "action": "welfare-check", "legal_basis": "Common law",
               "offence": None, "max_sentence_years": None}  # fmt: skip
    assert reasons(**witness) == {("B9", "not allowed")}


@pytest.mark.rule("B9")
def test_a_welfare_action_never_speaks_of_arrest():
    for policy in (UK, DEMO):
        for action in policy.actions:
            said = instruction(policy, action.code)
            assert not (action.welfare and COERCIVE.search(said))
            assert said.startswith("Welfare: ") is action.welfare
    with pytest.raises(ConfigError, match="knows no action"):
        instruction(UK, "shoot")


@pytest.mark.rule("B9")
@given(st.text(max_size=30), st.sampled_from(["arrest", "Arrested", "search", "detain", "WANTED", "custody"]))
def test_no_welfare_action_in_words_of_coercion(text, word):
    bad = msgspec.structs.replace(UK, actions=(Action("kind-check", f"{text} {word} them", welfare=True),))
    with pytest.raises(ConfigError, match="coercion"):
        instruction(bad, "kind-check")


def test_all_that_is_wrong_is_told_at_once():
    found = reasons(reason=None, date_of_birth="2010-01-01", hold_review_on="2020-01-01", vulnerable="perhaps")
    assert found == {("B2", "missing field"), ("B8", "minor"), ("B5", "provenance"), ("B2", "invalid value")}


def test_a_second_picture_need_not_repeat_the_person():
    of_picture = {name: ROW[name] for name, spec in FIELDS.items() if spec.of == "picture" and name in ROW}
    first, second, third = judge(
        [("Ada", ROW), ("Ada", of_picture), ("Ada", of_picture | {"category": "risk-of-harm"})], UK, ON, placed=False
    )
    assert first.faults == second.faults == ()
    assert second.listing.person == first.listing.person
    assert [fault.reason for fault in third.faults] == ["conflicting"]


@pytest.mark.rule("B7")
def test_one_reference_is_one_person():
    _, second = judge([("Ada", ROW), ("Adeline", ROW)], UK, ON, placed=False)
    assert [(fault.rule, fault.reason) for fault in second.faults] == [("B7", "conflicting")]


days = st.dates(date(1900, 1, 1), date(2035, 1, 1)).map(str)
cells = st.one_of(st.text(max_size=12), days, st.sampled_from(["yes", "no", "life", *ROW.values()]))


@given(st.lists(st.tuples(st.sampled_from("AB"), st.dictionaries(st.sampled_from(list(FIELDS)), cells)), max_size=4))
def test_no_rows_raise_anything_but_a_refusal(rows):
    try:
        judged = judge(rows, UK, ON, placed=False)
    except WatchlistError:
        return
    assert len(judged) == len(rows)
    categories, sources = {one.code for one in UK.categories}, {one.code for one in UK.sources}
    for said in judged:
        person, picture = said.listing.person, said.listing.picture
        assert person.category in categories | {""}
        assert picture.source in sources | {""}
        if not said.faults:
            born = person.details.date_of_birth
            assert born is not None
            assert born <= ON.replace(year=ON.year - 18)
            assert picture.hold_review_on >= ON
            assert person.review_on >= ON


@given(st.integers(-3, 3), st.booleans())
def test_time_only_ever_takes_rows_off(days, unconvicted):
    review = ON + timedelta(days=days)
    row = {"review_on": str(review), "unconvicted": "yes" if unconvicted else "no"}
    for later in range(5):
        now, then = (one(on=ON + timedelta(days=day), **row).faults for day in (later, later + 1))
        assert not now or then
