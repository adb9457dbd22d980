"""What a row of a watchlist says about a person and a picture, and reading it: every field has one form.

The columns of a CSV are `label`, `image` and the names in FIELDS. What the policy makes of the values is
`lfr.domain.listing_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from lfr.domain.errors import Conflict
from lfr.domain.ledger import normalised
from lfr.domain.policy import Strict
from lfr.domain.watchlist import Fault

Text = Annotated[str, msgspec.Meta(max_length=2000)]

LIFE_YEARS = 99.0
"""What a maximum sentence of life counts as."""


class Details(Strict, frozen=True):
    """What says who an entry is and why it is listed; sealed under the entry's own key as JSON.

    presence: why the person is expected at the place (A5). safeguarding: the plan for a child (B8).
    """

    nominal_ref: Text = ""
    date_of_birth: date | None = None
    reason: Text = ""
    evidence_ref: Text = ""
    presence: Text = ""
    safeguarding: Text = ""


class Person(Strict, frozen=True):
    """What a row says of the entry."""

    category: str = ""
    action: str = ""
    legal_basis: str = ""
    offence: str = ""
    max_sentence_years: float | None = None
    vulnerable: bool = False
    approver: str = ""
    review_on: date | None = None
    expires_on: date | None = None
    details: Details = Details()


class Provenance(Strict, frozen=True):
    """Where a picture comes from, and on what basis it is held (B5). unconvicted: None = the row does not say."""

    source: str = ""
    lawful_hold: str = ""
    taken_on: date | None = None
    hold_review_on: date | None = None
    unconvicted: bool | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One row, read. stated: the fields that are not empty."""

    person: Person
    picture: Provenance
    stated: frozenset[str]


class FieldSpec(NamedTuple):
    """One column. of: what it belongs to. read: its text to its value; raises ValueError. form: in plain words."""

    of: Literal["person", "details", "picture"]
    read: Callable[[str], Any]
    form: str
    about: str


def _text(most: int) -> Callable[[str], str]:
    def read(given: str) -> str:
        if len(given) > most or any(not char.isprintable() and char not in "\n\t" for char in given):
            raise ValueError
        return given

    return read


def _code(given: str) -> str:
    return _text(63)(given).lower().replace("_", "-").replace(" ", "-")


def _reference(given: str) -> str:
    # Short as it is written may be long, or nothing at all, in the one form by which list, feed and ledger compare it.
    try:
        normalised(given)
    except Conflict:
        raise ValueError from None
    return _text(200)(given)


def _day(given: str) -> date:
    if len(given) != 10 or given[4] != "-" or given[7] != "-":  # fromisoformat also takes weeks and no dashes
        raise ValueError
    return date.fromisoformat(given)


def _yes(given: str) -> bool:
    return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[given.lower()]


def _years(given: str) -> float:
    years = LIFE_YEARS if given.lower() == "life" else float(given)
    if not 0 <= years <= LIFE_YEARS:
        raise ValueError
    return years


_CODE = "a code of the policy"
_DAY = "a day as YYYY-MM-DD"
_YES = "yes or no"
_LINE = "at most 200 characters"
_LONG = "at most 2,000 characters"

FIELDS: dict[str, FieldSpec] = {
    "nominal_ref": FieldSpec(
        "details", _reference, "a reference of at most 200 characters", "the force's reference for this person"
    ),
    "category": FieldSpec("person", _code, _CODE, "why the person is listed"),
    "legal_basis": FieldSpec("person", _text(200), "words of the policy", "one of the category's legal bases"),
    "action": FieldSpec("person", _code, _CODE, "what an officer is to do"),
    "reason": FieldSpec("details", _text(2000), _LONG, "why this person, in words"),
    "evidence_ref": FieldSpec("details", _text(200), _LINE, "warrant, crime or intelligence report number"),
    "offence": FieldSpec("person", _text(80), "at most 80 characters", "the offence's code"),
    "max_sentence_years": FieldSpec("person", _years, "years, or life", "the offence's maximum sentence"),
    "date_of_birth": FieldSpec("details", _day, _DAY, "the person's date of birth"),
    "vulnerable": FieldSpec("person", _yes, _YES, "whether the person is vulnerable"),
    "presence": FieldSpec("details", _text(2000), _LONG, "why the person is expected at the place"),
    "safeguarding": FieldSpec("details", _text(2000), _LONG, "for a child: the safeguarding plan"),
    "approver": FieldSpec("person", _text(200), _LINE, "the officer who approved the entry"),
    "review_on": FieldSpec("person", _day, _DAY, "when the entry must be looked at again"),
    "expires_on": FieldSpec("person", _day, _DAY, "when the entry ends by itself"),
    "source": FieldSpec("picture", _code, _CODE, "where the picture comes from"),
    "lawful_hold": FieldSpec("picture", _code, _CODE, "on which basis the picture is held"),
    "taken_on": FieldSpec("picture", _day, _DAY, "when the picture was taken"),
    "hold_review_on": FieldSpec("picture", _day, _DAY, "until when the picture may be held without a review"),
    "unconvicted": FieldSpec("picture", _yes, _YES, "whether the person was not convicted in the picture's case"),
}
"""Every column beside `label` and `image`, in the order of the template."""


def read(raw: Mapping[str, str]) -> tuple[Listing, tuple[Fault, ...]]:
    """A row's fields as values, and what could not be read; such a field counts as not stated.

    raw: column -> cell; other columns than those of FIELDS are not looked at.
    """
    found: dict[str, dict[str, Any]] = {"person": {}, "details": {}, "picture": {}}
    faults = []
    for name, spec in FIELDS.items():
        cell = (raw.get(name) or "").strip()
        if not cell:
            continue
        try:
            found[spec.of][name] = spec.read(cell)
        except (ValueError, KeyError):
            faults.append(Fault("invalid value", f"{name} must be {spec.form}", "B2"))
    stated = frozenset(name for part in found.values() for name in part)
    person = Person(**found["person"], details=Details(**found["details"]))
    return Listing(person, Provenance(**found["picture"]), stated), tuple(faults)
