"""The rights ledger: what is remembered of a listed person when every face is gone, and how one is answered (B13)."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lfr.domain.errors import Conflict
from lfr.domain.policy import Strict

Choice = Literal["confirm", "neither-confirm-nor-deny", "not-listed"]
LEAST_WORDS = 3


class Membership(Strict, frozen=True):
    """One entry of one list. reference: the force's nominal reference, normalised. No biometric, no name."""

    reference: str
    category: str
    reason: str
    legal_basis: str
    listed_at: datetime
    event: Literal["listed", "taken-off"] = "listed"


class Reply(Strict, frozen=True):
    """What the officer chose to answer. reason: for whoever reviews it; it does not go out."""

    inquiry: UUID
    reference: str
    choice: Choice
    reason: Annotated[str, msgspec.Meta(max_length=1000)]
    memberships: int


def normalised(reference: str) -> str:
    """One form for what is written in several ways: no blanks, capitals. Raises Conflict for none, or one too long."""
    found = "".join(unicodedata.normalize("NFKC", reference).split()).upper()
    if not 1 <= len(found) <= 120 or not found.isprintable():
        raise Conflict("this is no nominal reference", hint="as the force writes it, 1 to 120 characters")
    return found


def require_fitting(choice: Choice, reason: str, memberships: int) -> None:
    """Raises Conflict for a reply that is not true, or that says neither without a reason."""
    if choice == "confirm" and not memberships:
        raise Conflict("there is nothing to confirm", hint="this reference was not listed")
    if choice == "not-listed" and memberships:
        raise Conflict("this reference was listed", hint="confirm it, or neither confirm nor deny, with a reason")
    if choice == "neither-confirm-nor-deny" and len(reason.split()) < LEAST_WORDS:
        raise Conflict("to neither confirm nor deny needs a reason", hint=f"at least {LEAST_WORDS} words, kept sealed")


def letter(choice: Choice, found: tuple[Membership, ...], months: float) -> str:
    """The words of the answer to the person."""
    if choice == "neither-confirm-nor-deny":
        return "We neither confirm nor deny that information about you was held. You may complain or ask for a review."
    if choice == "not-listed":
        return f"No watchlist entry under this reference is recorded in the last {months:g} months."
    lines = [
        f"{one.listed_at:%Y-%m-%d}: {'listed' if one.event == 'listed' else 'taken off'}, category {one.category}"
        + (f", {one.legal_basis}" if one.legal_basis else "")
        for one in found
    ]
    return "\n".join(["You were on a watchlist. No picture or template of you is kept.", *lines])
