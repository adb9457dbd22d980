"""Whether a row may be listed under a policy: all that is wrong with it at once, each with its rule (B1 to B9, B11)."""

from __future__ import annotations

import re
from datetime import date

import msgspec

from lfr.domain.age_bands import age_on, as_minor, band_of
from lfr.domain.errors import ConfigError
from lfr.domain.list_facts import years_before
from lfr.domain.listing import FIELDS, Listing, Person, Provenance
from lfr.domain.policy import Category, Policy
from lfr.domain.watchlist import Fault

OLDEST = 120
"""Years beyond which a date of birth is a slip of the pen."""

FOREIGN = {
    "passports": ("passport", "passports", "hmpo"),
    "driving licences": ("driving", "driver", "dvla", "licence", "license"),
    "immigration records": ("immigration", "visa", "asylum", "border"),
    "the internet": ("internet", "web", "website", "scraped", "scraping", "online", "social"),
    "private lists": ("private", "retail", "retailer", "shop", "store", "commercial"),
}
"""Sources that no policy can allow (B11): any of these words in a source's code."""

COERCIVE = re.compile(
    r"\b(arrest\w*|detain\w*|detention|search\w*|seiz\w*|custody|wanted|suspect\w*|warrant\w*|handcuff\w*|force)\b",
    re.IGNORECASE,
)
"""Words that a welfare action never carries (B9)."""


def filled(listing: Listing, policy: Policy) -> Listing:
    """The row with the policy's defaults where it says nothing."""
    person, picture = listing.person, listing.picture
    rules = policy.watchlist
    category = person.category or rules.default_category or ""
    known = _category(policy, category)
    basis = person.legal_basis or (known.legal_bases[0] if known and len(known.legal_bases) == 1 else "")
    source = picture.source or rules.default_source or ""
    holds = next((one.lawful_holds for one in policy.sources if one.code == source), ())
    hold = picture.lawful_hold or (holds[0] if len(holds) == 1 else "")
    return Listing(
        msgspec.structs.replace(
            person, category=category, action=person.action or rules.default_action or "", legal_basis=basis
        ),
        msgspec.structs.replace(picture, source=source, lawful_hold=hold),
        listing.stated,
    )


def batch_faults(listing: Listing, policy: Policy) -> tuple[Fault, ...]:
    """What refuses the whole import and not this row alone: a category or source outside the closed lists (B1, B11).

    A list that holds either was not made under this policy, so none of its rows can be trusted.
    """
    faults = []
    category, source = listing.person.category, listing.picture.source
    if category and _category(policy, category) is None:
        faults.append(Fault("not allowed", "the category is not in the policy's closed list", "B1"))
    named = foreign(source)
    if named:
        faults.append(Fault("not allowed", f"pictures from {named} are not allowed under any policy", "B11"))
    elif source and source not in {one.code for one in policy.sources}:
        faults.append(Fault("not allowed", "the picture's source is not in the policy's closed list", "B11"))
    return tuple(faults)


def foreign(source: str) -> str:
    """Which kind of forbidden source a code names, in plain words; empty for none of them (B11)."""
    words = set(re.split(r"[^a-z0-9]+", source.lower()))
    return next((kind for kind, signs in FOREIGN.items() if words.intersection(signs)), "")


def row_faults(listing: Listing, policy: Policy, on: date, *, placed: bool) -> tuple[Fault, ...]:
    """All that keeps this row, read and filled, off the list on a day. placed: the use case itself says where (A5)."""
    return (
        *_missing(listing, policy, placed=placed),
        *_codes(listing, policy),
        *_dates(listing.person, on),
        *_young(listing.person, policy, on),
        *_provenance(listing.picture, policy, on),
    )


def warnings(listing: Listing, policy: Policy, on: date) -> tuple[str, ...]:
    """What is worth a second look although the row may be listed."""
    said = []
    taken, oldest = listing.picture.taken_on, policy.watchlist.picture.warn_age_years
    if taken is not None and taken < years_before(on, oldest):
        said.append(f"B6: the picture is more than {oldest:g} years old; look for a newer one")
    if below_floor(listing.person, policy):
        said.append("B3: below the seriousness floor; the Authorising Officer must sign for this entry")
    if as_minor(band_of(listing.person.details.date_of_birth, on, policy.ages), policy.ages):
        said.append("B8: under 18 or of unknown age; the Authorising Officer must sign for this entry")
    return tuple(said)


def below_floor(person: Person, policy: Policy) -> bool:
    """Whether the offence's maximum sentence lies below the seriousness floor (B3)."""
    years = person.max_sentence_years
    return years is not None and years < policy.watchlist.min_max_sentence_years


def instruction(policy: Policy, action: str) -> str:
    """What an officer reads for an action code; a welfare action begins with that word and never coerces (B9).

    Raises ConfigError for an action that the policy does not know, and for a welfare action in words of coercion.
    """
    known = next((one for one in policy.actions if one.code == action), None)
    if known is None:
        raise ConfigError(f"the policy knows no action {action!r}")
    if not known.welfare:
        return known.title
    if COERCIVE.search(known.title) or COERCIVE.search(known.code.replace("-", " ")):
        raise ConfigError(
            f"the welfare action {action} speaks of coercion", hint="a welfare action never says arrest or search (B9)"
        )
    return f"Welfare: {known.title}"


def _category(policy: Policy, code: str) -> Category | None:
    return next((one for one in policy.categories if one.code == code), None)


def _missing(listing: Listing, policy: Policy, *, placed: bool) -> list[Fault]:
    person, picture = listing.person, listing.picture
    values = {
        "person": msgspec.structs.asdict(person),
        "details": msgspec.structs.asdict(person.details),
        "picture": msgspec.structs.asdict(picture),
    }
    wanted = dict.fromkeys(["category", "action", "source", *policy.watchlist.required], "B2")
    category = _category(policy, person.category)
    if category is not None and category.needs_offence:
        wanted |= {"offence": "B2", "max_sentence_years": "B2"}
    if not placed:
        wanted["presence"] = "A5"
    faults = []
    for name, rule in wanted.items():
        spec = FIELDS.get(name)
        if spec is None or values[spec.of][name] not in {None, ""}:
            continue
        told = "B5" if spec.of == "picture" else rule
        faults.append(Fault("missing field", f"{name} is missing: {spec.about}", told))
    return faults


def _codes(listing: Listing, policy: Policy) -> list[Fault]:
    person, picture, faults = listing.person, listing.picture, []
    category = _category(policy, person.category)
    if category is not None:
        if category.disabled:
            faults.append(Fault("not allowed", "this category is switched off under the policy", "B9"))
        if person.action and person.action not in category.actions:
            faults.append(Fault("not allowed", "the action does not belong to the category", "B2"))
        if person.legal_basis and person.legal_basis not in category.legal_bases:
            faults.append(Fault("not allowed", "the legal basis does not belong to the category", "B1"))
    welfare = {one.code for one in policy.actions if one.welfare}
    if person.vulnerable and person.action and person.action not in welfare:
        faults.append(Fault("not allowed", "a vulnerable person needs a welfare action", "B9"))
    source = next((one for one in policy.sources if one.code == picture.source), None)
    if source is not None and picture.lawful_hold and picture.lawful_hold not in source.lawful_holds:
        faults.append(Fault("provenance", "the picture may not be held on this basis", "B5"))
    return faults


def _dates(person: Person, on: date) -> list[Fault]:
    faults = []
    if person.review_on is not None and person.review_on < on:
        faults.append(Fault("expired", "the entry's review is overdue", "B2"))
    if person.expires_on is not None and person.expires_on < on:
        faults.append(Fault("expired", "the entry has expired", "B2"))
    return faults


def _young(person: Person, policy: Policy, on: date) -> list[Fault]:
    born, ages = person.details.date_of_birth, policy.ages
    if born is not None and not 0 <= age_on(born, on) <= OLDEST:
        return [Fault("invalid value", "the date of birth cannot be right", "B8")]
    band = band_of(born, on, ages)
    if not as_minor(band, ages):
        return []
    if not ages.minors:
        what = "the age is not known" if band == "unknown" else f"the person is under {ages.adult}"
        return [Fault("minor", f"{what}, and this policy lists nobody under {ages.adult}", "B8")]
    if person.details.safeguarding:
        return []
    return [Fault("missing field", "safeguarding is missing: the plan for a child, or for one who may be", "B8")]


def _provenance(picture: Provenance, policy: Policy, on: date) -> list[Fault]:
    faults = []
    if picture.taken_on is not None and picture.taken_on > on:
        faults.append(Fault("invalid value", "taken_on lies in the future", "B5"))
    if picture.hold_review_on is not None and picture.hold_review_on < on:
        faults.append(Fault("provenance", "the picture is held past its review", "B5"))
    if picture.unconvicted:
        most = policy.watchlist.picture.unconvicted_max_years
        if picture.taken_on is None or picture.taken_on < years_before(on, most):
            faults.append(
                Fault("provenance", f"of a person not convicted a picture of at most {most:g} years is needed", "B5")
            )
        if picture.lawful_hold == "convicted":
            faults.append(Fault("provenance", "held as convicted, but the person was not convicted", "B5"))
    return faults
