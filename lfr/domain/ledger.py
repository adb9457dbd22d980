"""The rights ledger: what is remembered of a listed person when every face is gone, and how one is answered (B13)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lfr.domain.errors import Conflict
from lfr.domain.policy import Strict

Choice = Literal["confirm", "neither-confirm-nor-deny", "not-listed"]
LEAST_WORDS = 3
REFERENCE_MOST = 2000


class Membership(Strict, frozen=True):
    """One entry of one list, as it is sealed. reference: the force's nominal reference. No biometric, no name."""

    entry_id: UUID
    reference: str
    category: str
    reason: str
    legal_basis: str
    listed_at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A membership as the officer sees it: with the deployment it belongs to, and when it was taken off."""

    deployment_id: UUID
    title: str
    category: str
    reason: str
    legal_basis: str
    listed_at: datetime
    taken_off_at: datetime | None


class Reply(Strict, frozen=True):
    """What the officer chose to answer. reason: for whoever reviews it; it does not go out."""

    inquiry: UUID
    reference: str
    choice: Choice
    reason: Annotated[str, msgspec.Meta(max_length=1000)]
    memberships: int


def normalised(reference: str) -> str:
    """One form for what is written in several ways: no blanks, capitals. Raises Conflict for none, or one too long."""
    folded = unicodedata.normalize("NFKC", reference).upper()
    found = "".join(one for one in folded if one.isprintable() and not one.isspace())
    if not 1 <= len(found) <= REFERENCE_MOST:
        raise Conflict("this is no nominal reference", hint=f"as the force writes it, 1 to {REFERENCE_MOST} characters")
    return found


def require_fitting(choice: Choice, reason: str, memberships: int) -> None:
    """Raises Conflict for a reply that is not true, or that says neither without a reason."""
    if choice == "confirm" and not memberships:
        raise Conflict("there is nothing to confirm", hint="this reference was not listed")
    if choice == "not-listed" and memberships:
        raise Conflict("this reference was listed", hint="confirm it, or neither confirm nor deny, with a reason")
    if choice == "neither-confirm-nor-deny" and len(reason.split()) < LEAST_WORDS:
        raise Conflict("to neither confirm nor deny needs a reason", hint=f"at least {LEAST_WORDS} words, kept sealed")


def letter(choice: Choice, found: Sequence[Listed], months: float) -> str:
    """The words of the answer to the person."""
    if choice == "neither-confirm-nor-deny":
        return "We neither confirm nor deny that information about you was held. You may complain or ask for a review."
    if choice == "not-listed":
        return f"No watchlist entry under this reference is recorded in the last {months:g} months."
    if any(one.taken_off_at is None for one in found):
        first = "You are on a watchlist. Pictures and templates of you are destroyed when that ends."
    else:
        first = "You were on a watchlist. No picture or template of you is kept."
    lines = [
        f"{one.listed_at:%Y-%m-%d}"
        + (f" to {one.taken_off_at:%Y-%m-%d}" if one.taken_off_at else "")
        + f": category {one.category}"
        + (f", {one.legal_basis}" if one.legal_basis else "")
        for one in found
    ]
    return "\n".join([first, *lines])
