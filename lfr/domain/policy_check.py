"""Whether a policy agrees with itself: every code refers to something, every rank exists, bands ascend. All at once."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lfr.domain.listing import FIELDS
from lfr.domain.places import is_area, on_earth
from lfr.domain.policy import Approver, Policy, Role

_APART: tuple[tuple[Role, Role], ...] = (
    ("authorising-officer", "operator"),
    ("authorising-officer", "watchlist-owner"),
    ("authorising-officer", "auditor"),
)
"""What no policy for operations may let one person do (A9)."""

_NEEDED: tuple[Role, ...] = ("authorising-officer", "watchlist-owner", "operator")
URGENT_MOST_H = 24.0
"""Hours for which an urgent authority may stand unconfirmed in any policy (A4)."""
WINDOW_MOST_H = 12.0
"""Hours for which an operational deployment may last in any policy (A3)."""
LIST_MOST_H = 24.0
"""Hours before the start at which an operational list may be built in any policy (B4)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """where: the key in the file. what: in plain words."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def faults(policy: Policy) -> tuple[Fault, ...]:
    """Everything that contradicts something else in the policy; empty = it may be used."""
    return tuple(
        fault
        for ask in (_given, _once, _ranks, _references, _sizes, _people, _places, _approvers, _operational)
        for fault in ask(policy)
    )


def open_points(policy: Policy) -> tuple[Fault, ...]:
    """What a force has still to fill in: no contradiction, but a safeguard that cannot work yet."""
    found = []
    if policy.sensitive.allowed and not policy.sensitive.places:
        found.append(Fault("sensitive.places", "no sensitive place is drawn, so none is protected (A7)"))
    for one in policy.approvers:
        if one.kind != "officer" and not one.keys:
            what = f"{one.code} has no key: whatever needs this approval cannot go live (A10)"
            found.append(Fault("approvers", what))
    if "operational" in policy.modes and not policy.oversight:
        found.append(Fault("oversight", "no oversight body has a key, so none can suspend a deployment (H3)"))
    if "draft" in policy.version:
        found.append(Fault("version", "this is a draft"))
    return tuple(found)


def _given(policy: Policy) -> Iterator[Fault]:
    """Lists that cannot be empty."""
    rules = policy.watchlist
    lists: dict[str, Iterable[object]] = {
        "modes": policy.modes,
        "authority.ranks": policy.authority.ranks,
        "use_cases": policy.use_cases,
        "actions": policy.actions,
        "categories": [one for one in policy.categories if not one.disabled],
        "sources": policy.sources,
        "watchlist.bands": rules.bands,
    }
    lists |= {f"categories.{one.code}.legal_bases": one.legal_bases for one in policy.categories}
    lists |= {f"categories.{one.code}.actions": one.actions for one in policy.categories}
    lists |= {f"sources.{one.code}.lawful_holds": one.lawful_holds for one in policy.sources}
    for where, held in lists.items():
        if not tuple(held):
            yield Fault(where, "there is none")


def _once(policy: Policy) -> Iterator[Fault]:
    """Codes that stand for one thing only."""
    lists: dict[str, Iterable[object]] = {
        "modes": policy.modes,
        "authority.ranks": policy.authority.ranks,
        "use_cases": [one.code for one in policy.use_cases],
        "actions": [one.code for one in policy.actions],
        "categories": [one.code for one in policy.categories],
        "sources": [one.code for one in policy.sources],
        "watchlist.bands": policy.watchlist.bands,
        "watchlist.required": policy.watchlist.required,
        "documents": [one.code for one in policy.documents],
        "signs.items": policy.signs.items,
        "sensitive.places": [one.code for one in policy.sensitive.places],
        "sensitive.approvals": policy.sensitive.approvals,
        "approvers": [one.code for one in policy.approvers],
        "holds": [one.code for one in policy.holds],
        "people": policy.people,
        "conflicts": [" and ".join(sorted(pair)) for pair in policy.conflicts],
        "oversight": policy.oversight,
    }
    for where, held in lists.items():
        for value in (value for value, count in Counter(held).items() if count > 1):
            yield Fault(where, f"{value} stands there twice")


def _ranks(policy: Policy) -> Iterator[Fault]:
    authority = policy.authority
    named = {
        "authority.min_rank": authority.min_rank,
        "authority.urgent_rank": authority.urgent_rank,
        "ages.minor_rank": policy.ages.minor_rank,
        "ages.young_child_rank": policy.ages.young_child_rank,
        "sensitive.rank": policy.sensitive.rank,
    }
    named |= {f"approvers.{one.code}.rank": one.rank for one in policy.approvers}
    for where, rank in named.items():
        if rank is not None and rank not in authority.ranks:
            yield Fault(where, f"there is no rank {rank}")
    if authority.urgent_rank is not None and policy.rank_reaches(authority.urgent_rank, authority.min_rank):
        yield Fault("authority.urgent_rank", "it must be lower than min_rank, or nothing is urgent about it")
    for where, rank in {name: named[name] for name in ("ages.minor_rank", "sensitive.rank")}.items():
        known = {rank, authority.min_rank} <= set(authority.ranks)
        if known and not policy.rank_reaches(rank, authority.min_rank):
            yield Fault(where, f"it must not be lower than {authority.min_rank}")
    young, minor = policy.ages.young_child_rank, policy.ages.minor_rank
    if {young, minor} <= set(authority.ranks) and not policy.rank_reaches(young, minor):
        yield Fault("ages.young_child_rank", f"it must not be lower than {minor}")


def _references(policy: Policy) -> Iterator[Fault]:
    rules = policy.watchlist
    actions = {one.code for one in policy.actions}
    categories = {one.code: one for one in policy.categories}
    for one in policy.categories:
        for action in one.actions:
            if action not in actions:
                yield Fault(f"categories.{one.code}.actions", f"there is no action {action}")
    for field in rules.required:
        if field not in FIELDS:
            yield Fault("watchlist.required", f"there is no field {field}")
    default = categories.get(rules.default_category or "")
    if rules.default_category is not None and (default is None or default.disabled):
        yield Fault("watchlist.default_category", f"there is no usable category {rules.default_category}")
    if rules.default_action is not None and rules.default_action not in (default.actions if default else actions):
        yield Fault("watchlist.default_action", f"{rules.default_action} is no action of the default category")
    if rules.default_source is not None and rules.default_source not in {one.code for one in policy.sources}:
        yield Fault("watchlist.default_source", f"there is no source {rules.default_source}")
    codes = {one.code for one in policy.approvers}
    for code in policy.sensitive.approvals:
        if code not in codes:
            yield Fault("sensitive.approvals", f"there is no approver {code}")


def _sizes(policy: Policy) -> Iterator[Fault]:
    bands, cap, ages = policy.watchlist.bands, policy.watchlist.cap, policy.ages
    if tuple(sorted(bands)) != bands:
        yield Fault("watchlist.bands", "they must ascend")
    if bands and cap > max(bands):
        yield Fault("watchlist.cap", f"{cap} lies above the largest band, {max(bands)}")
    if not ages.young_child < ages.adult:
        yield Fault("ages.young_child", f"{ages.young_child} is not below adult, {ages.adult}")
    if policy.authority.urgent_rank is not None and policy.authority.urgent_confirm_hours > URGENT_MOST_H:
        yield Fault("authority.urgent_confirm_hours", f"at most {URGENT_MOST_H:g} (A4)")
    for one in policy.documents:
        if one.max_age_days > 3 * 366:
            yield Fault(f"documents.{one.code}.max_age_days", "nothing is current for more than three years (A8)")


def _people(policy: Policy) -> Iterator[Fault]:
    for one, other in policy.conflicts:
        if one == other:
            yield Fault("conflicts", f"{one} stands against itself")


def _places(policy: Policy) -> Iterator[Fault]:
    for one in policy.sensitive.places:
        if not is_area(one.polygon):
            yield Fault(f"sensitive.places.{one.code}", "its corners enclose no area")
        elif not on_earth(one.polygon):
            yield Fault(f"sensitive.places.{one.code}", "its corners are (longitude, latitude) pairs in degrees")


def _approvers(policy: Policy) -> Iterator[Fault]:
    for key in policy.oversight:
        if not _is_key(key):
            yield Fault("oversight", f"{key[:12]!r} is no public key of 64 hex digits")
    for one in policy.approvers:
        for what in _approver(one, policy.sensitive.approvals):
            yield Fault(f"approvers.{one.code}", what)


def _approver(one: Approver, sensitive: tuple[str, ...]) -> Iterator[str]:
    for key in one.keys:
        if not _is_key(key):
            yield f"{key[:12]!r} is no public key of 64 hex digits"
    if one.when == "sensitive" and one.code not in sensitive:
        yield "it is for sensitive places only, and sensitive.approvals does not ask for it"
    if one.kind == "officer":
        if one.rank is None:
            yield "a second officer needs a rank"
        if one.keys or one.url:
            yield "a second officer has neither keys nor url here: the registrar vouches"
        return
    if one.rank is not None:
        yield "only a second officer has a rank"
    if one.kind == "http":
        if not is_safe_url(one.url):
            yield "its url must begin with https:// and name a host"
        if not one.keys:
            yield "an approver that is asked over the network needs keys to know its answer by"
    elif one.url:
        yield "a signed file has no url"


def _operational(policy: Policy) -> Iterator[Fault]:
    if "operational" not in policy.modes:
        return
    rules, authority = policy.watchlist, policy.authority
    wrong = {
        "modes": ("demo" in policy.modes, "a policy for operations is none for demonstrations"),
        "authority.self_signed": (authority.self_signed, "in operations nothing authorises itself (A1)"),
        "authority.min_words": (authority.min_words < 5, "reasons need at least 5 different words (A2)"),
        "authority.max_window_hours": (
            authority.max_window_hours > WINDOW_MOST_H,
            f"at most {WINDOW_MOST_H:g} hours in operations (A3)",
        ),
        "watchlist.max_age_hours": (rules.max_age_hours > LIST_MOST_H, f"at most {LIST_MOST_H:g} in operations (B4)"),
        "watchlist.needs_certificate": (not rules.needs_certificate, "operations need a test certificate (D1)"),
        "watchlist.second_check": (not rules.second_check, "operations need the second person's check (B7)"),
        "needs_place": (not policy.needs_place, "operations have a place (A1)"),
        "documents": (
            not any(one.covers_public for one in policy.documents),
            "one of them must speak of people who are not listed (A8)",
        ),
        "signs.items": (not policy.signs.items, "operations are announced by signs at the place (C4)"),
    }
    for where, (is_wrong, what) in wrong.items():
        if is_wrong:
            yield Fault(where, what)
    for role in _NEEDED:
        if role not in policy.people:
            yield Fault("people", f"in operations somebody is named as {role} (A9)")
    apart = {frozenset(pair) for pair in policy.conflicts}
    for pair in _APART:
        if frozenset(pair) not in apart:
            yield Fault("conflicts", f"in operations nobody is both {pair[0]} and {pair[1]} (A9)")


def _is_key(key: str) -> bool:
    return len(key) == 64 and set(key) <= set("0123456789abcdef")


def is_safe_url(url: str) -> bool:
    """Whether a plan may be sent there: over TLS, or without it to this very machine. No user or password in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.username is not None or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
