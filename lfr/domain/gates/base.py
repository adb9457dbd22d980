"""What a gate says: the rule, what is missing in plain words, and who can mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from lfr.domain.gates.facts import Facts
from lfr.domain.policy import Role

Wanted = Literal["submit", "authorise", "approve-list", "go-live", "continue"]
"""What somebody wants to do; `continue` is asked again and again while a deployment is live."""

WANTED: tuple[Wanted, ...] = get_args(Wanted)

Who = Role | Literal["oversight"]
About = Literal["plan", "people", "documents", "approvals", "list", "signs", "earlier", "system"]


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is not there yet. blocks: False = a warning, to be seen by whoever decides."""

    rule: str
    what: str
    who: Who
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class Gate:
    """One question. title: what is right when nothing is missing. about: the part of the checklist it belongs to."""

    title: str
    about: About
    wanted: frozenset[Wanted]
    ask: Callable[[Facts], Iterable[Missing]]
