"""Gates about the plan: what is written, where, when, why, with which cameras (A1, A2, A3, A5, A6, A7, B1, C1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from lfr.domain.gates.base import Missing
from lfr.domain.gates.facts import Facts
from lfr.domain.places import is_area, on_earth, sensitive_at
from lfr.domain.policy import Role, UseCase
from lfr.domain.wording import different_words

FIELDS = {
    "objective": "the objective",
    "legal_basis": "the legal basis",
    "necessity": "why it is necessary",
    "proportionality": "why it is proportionate",
    "less_intrusive": "why nothing less intrusive would do",
}
_AO: Role = "authorising-officer"


def use_case_of(facts: Facts) -> UseCase | None:
    """The plan's use case, if the policy knows it."""
    return next((one for one in facts.policy.use_cases if one.code == facts.plan.use_case), None)


def written(facts: Facts) -> Iterator[Missing]:
    """Each reason stands in its own field, in at least so many different words (A2)."""
    least = facts.policy.authority.min_words
    for name, title in FIELDS.items():
        found = different_words(getattr(facts.plan.reasons, name))
        if found < max(1, least):
            yield Missing("A2", _short(title, found, least), _AO)


def boilerplate(facts: Facts) -> Iterator[Missing]:
    """Text taken over from an earlier authority is pointed out; it does not block (A2)."""
    for one in facts.alike:
        if one.share >= facts.policy.authority.alike_warn:
            what = f"{FIELDS.get(one.field, one.field)}: {one.share:.0%} is word for word that of {one.title!r}"
            yield Missing("A2", what, _AO, blocks=False)


def presence(facts: Facts) -> Iterator[Missing]:
    """It is written why the listed people are expected here, unless the use case itself names the place (A5)."""
    use_case = use_case_of(facts)
    if use_case is None or use_case.covers_place:
        return
    least = facts.policy.authority.min_words
    found = different_words(facts.plan.reasons.expected_presence)
    if found < max(1, least):
        yield Missing("A5", _short("why the listed people are expected at this place", found, least), _AO)


def placed(facts: Facts) -> Iterator[Missing]:
    """The plan belongs to this force and draws its place on the map (A1)."""
    if facts.plan.force != facts.system.force:
        yield Missing("A1", f"the plan is for {facts.plan.force}, this system belongs to {facts.system.force}", _AO)
    place = facts.plan.place
    if facts.policy.needs_place and not (place.title.strip() and is_area(place.polygon) and on_earth(place.polygon)):
        yield Missing("A1", "the place has no name, or no area drawn on the map", _AO)


def window(facts: Facts) -> Iterator[Missing]:
    """Start and end are fixed, in the future, and no further apart than the policy allows (A3)."""
    plan, most = facts.plan, facts.policy.authority.max_window_hours
    if plan.starts_at is None or plan.ends_at is None:
        yield Missing("A3", "the plan has no start or no end", _AO)
    elif not timedelta(0) < plan.ends_at - plan.starts_at <= timedelta(hours=most):
        yield Missing("A3", f"the end must come after the start, and at most {most:g} hours after it", _AO)
    elif plan.ends_at <= facts.at:
        yield Missing("A3", "the planned time is over", _AO)


def in_window(facts: Facts) -> Iterator[Missing]:
    """The authorised window has begun and is not over (A3)."""
    if facts.authority is None:
        return
    if facts.at < facts.authority.starts_at - timedelta(seconds=1):
        yield Missing("A3", f"the authorised time begins at {facts.authority.starts_at:%Y-%m-%d %H:%M} UTC", _AO)
    elif facts.at >= facts.authority.ends_at:
        yield Missing("A3", f"the authorised time ended at {facts.authority.ends_at:%Y-%m-%d %H:%M} UTC", _AO)


def use_case(facts: Facts) -> Iterator[Missing]:
    """The use case is one of the policy's (A6)."""
    if use_case_of(facts) is None:
        known = ", ".join(one.code for one in facts.policy.use_cases)
        yield Missing("A6", f"the policy knows no use case {facts.plan.use_case!r}; it knows: {known}", _AO)


def categories(facts: Facts) -> Iterator[Missing]:
    """The categories of listed people are the policy's, and in use (B1)."""
    allowed = {one.code for one in facts.policy.categories if not one.disabled}
    if not facts.plan.categories:
        yield Missing("B1", "no category of listed people is chosen", _AO)
    for code in facts.plan.categories:
        if code not in allowed:
            yield Missing("B1", f"the policy does not allow the category {code!r}", _AO)


def sensitive_off(facts: Facts) -> Iterator[Missing]:
    """Sensitive places are left alone where the policy says so (A7)."""
    if not facts.policy.sensitive.allowed:
        for place in sensitive_at(facts.policy, facts.plan.place.polygon):
            yield Missing("A7", f"{place.title}: the policy does not allow screening there", _AO)


def zones(facts: Facts) -> Iterator[Missing]:
    """Every camera that is to recognise has its zone drawn, and is one of this system's (C1)."""
    if not facts.plan.cameras:
        yield Missing("C1", "no camera is planned", "engineer")
    for one in facts.plan.cameras:
        if one.camera not in facts.system.cameras:
            yield Missing("C1", f"camera {one.camera} is planned, but this system has none of that name", "engineer")
        if not is_area(one.zone):
            yield Missing("C1", f"camera {one.camera} has no zone of recognition", "engineer")
    for camera in facts.system.cameras:
        if facts.plan.zone_of(camera) is None:
            what = f"camera {camera} is not planned: it will show tiles and recognise nobody"
            yield Missing("C1", what, "engineer", blocks=False)


def _short(title: str, found: int, least: int) -> str:
    if not found:
        return f"{title}: nothing is written"
    return f"{title}: {found} different words are written, at least {least} are needed"
