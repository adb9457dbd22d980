"""The policy: every rank, use case, category, floor, period and timer that a force has bound itself to, in one file.

The YAML form is `configs/policies/NAME.yaml`; finding, checking and comparing files is `lfr.services.policies`. What is
not in the policy cannot be represented anywhere: a use case, category, source or reason is a code of this file or
nothing (A6, B1). Its digest stands in every mandate.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, get_args

import msgspec

from lfr.domain.canonical import canonical

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Mode = Literal["demo", "research", "operational"]

Role = Literal[
    "authorising-officer",
    "watchlist-owner",
    "operator",
    "engagement-officer",
    "engineer",
    "auditor",
    "data-protection-officer",
]
"""What a person does in a deployment (SWP glossary; APP roles)."""

ROLES: tuple[Role, ...] = get_args(Role)


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unknown keys are errors."""


class Authority(Strict, frozen=True):
    """Who may authorise, for how long, and how carefully it must be written.

    ranks: from the lowest to the highest. urgent_rank: may authorise urgently; that lapses after urgent_confirm_hours
    unless min_rank confirms (A4). self_signed: a run may sign its own authority with keys made for it, as a
    demonstration does; never beside operational mode. min_words: the least number of different words in each written
    field, and alike_warn: the similarity (0..1) to an earlier authority at which boilerplate is warned of (A2).
    """

    ranks: tuple[Code, ...]
    min_rank: Code
    urgent_rank: Code | None = None
    urgent_confirm_hours: Positive = 4.0
    max_window_hours: Positive = 12.0
    self_signed: bool = False
    min_words: Count = 8
    alike_warn: Share = 0.8


class UseCase(Strict, frozen=True):
    """One purpose from the closed list (A6). covers_place: its definition says where; else each entry must (A5)."""

    code: Code
    title: Words
    covers_place: bool = False
    high_risk: bool = False


class Action(Strict, frozen=True):
    """What an officer is to do. welfare: never words of arrest or search (B9)."""

    code: Code
    title: Words
    welfare: bool = False


class Category(Strict, frozen=True):
    """One kind of listed person from the closed list (B1). disabled: known, but not to be used under this policy."""

    code: Code
    title: Words
    legal_bases: tuple[Words, ...]
    actions: tuple[Code, ...]
    needs_offence: bool = True
    disabled: bool = False


class Source(Strict, frozen=True):
    """Where a picture may come from (B11). lawful_holds: on which bases it may be held (B5)."""

    code: Code
    title: Words
    lawful_holds: tuple[Code, ...]


class Ages(Strict, frozen=True):
    """Rules for the young (B8). adult, young_child: years. minors: whether listing any under-18 is possible at all."""

    minors: bool = False
    adult: Count = 18
    young_child: Count = 13
    minor_rank: Code = "superintendent"
    young_child_rank: Code = "assistant-chief-constable"
    unknown_is_minor: bool = True


class Picture(Strict, frozen=True):
    """The quality floor of a listed picture, over and above the pack's own (B6), and how old it may be.

    warn_age_years: from which age a newer one is asked for. unconvicted_max_years: how long after it was taken a
    picture of a person who was not convicted may still be used (B5).
    """

    min_face_px: Positive = 60.0
    min_sharpness: Positive = 10.0
    max_yaw: Positive = 0.6
    warn_age_years: Positive = 10.0
    unconvicted_max_years: Positive = 6.0


class Watchlist(Strict, frozen=True):
    """The list's budget and currency.

    bands: upper ends of the sizes for which thresholds are certified; cap: the most entries at all. target_fpir: per
    transit, the budget that N_max is computed from (B10). min_max_sentence_years: the seriousness floor (B3).
    required: fields without which a row is refused (B2, B5). default_category: for a folder import that names none.
    second_check: a second person confirms that each picture shows whom it says (B7). alike_score_margin: how far
    below the threshold two entries' likeness still counts as a look-alike.
    """

    bands: tuple[Annotated[int, msgspec.Meta(ge=1)], ...]
    cap: Annotated[int, msgspec.Meta(ge=1)]
    target_fpir: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    max_age_hours: Positive = 24.0
    min_max_sentence_years: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    required: tuple[str, ...] = ()
    default_category: Code | None = None
    default_action: Code | None = None
    default_source: Code | None = None
    second_check: bool = True
    needs_certificate: bool = True
    alike_score_margin: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    picture: Picture = Picture()


class Document(Strict, frozen=True):
    """A document that must be current before the start (A8). covers_public: it must speak of people not listed."""

    code: Code
    title: Words
    max_age_days: Positive = 365.0
    covers_public: bool = False


class Signs(Strict, frozen=True):
    """What is photographed at the place before the start, and how often it is looked at again (C4)."""

    items: tuple[Code, ...] = ()
    recheck_minutes: Positive = 60.0
    overdue_minutes: Positive = 30.0


class SensitivePlace(Strict, frozen=True):
    """A place where screening chills other rights (A7). polygon: (longitude, latitude) pairs, WGS 84."""

    code: Code
    title: Words
    polygon: tuple[tuple[float, float], ...]


class Sensitive(Strict, frozen=True):
    """The rank and approvals that a sensitive place needs; allowed False: never."""

    allowed: bool = False
    rank: Code = "assistant-chief-constable"
    approvals: tuple[Code, ...] = ("legal-advice",)
    places: tuple[SensitivePlace, ...] = ()


class Approver(Strict, frozen=True):
    """One approval from outside the chain of command (A10).

    kind: `file` = a statement signed by one of `keys`; `http` = asked at `url`, answers with such a statement, and no
    answer is a no; `officer` = a second officer of `rank` or above. when: always; for what is high risk (such a use
    case, any sensitive place); or only where `sensitive` asks for it.
    """

    code: Code
    title: Words
    kind: Literal["file", "http", "officer"]
    when: Literal["always", "high-risk", "sensitive"] = "always"
    keys: tuple[str, ...] = ()
    url: str = ""
    rank: Code | None = None


class Retention(Strict, frozen=True):
    """Every period. This is the only place where one stands (G5); notices, code and documents read it from here.

    No period has a default: one that the file does not state would stand in the code. nonmatch_seconds (G1, D4): 1 is
    what the code is built to keep, so no other promise can be made. alert_unactioned_seconds: after no dispatch was
    decided, alert_hours: at most (G2); watchlist_hours: after the end (G3), 0 = at close; footage_days: 0, as no
    code here records video (G4); ledger_months (B13); log_years (G7).
    """

    nonmatch_seconds: Annotated[float, msgspec.Meta(ge=1, le=1)]
    alert_unactioned_seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)]
    alert_hours: Annotated[float, msgspec.Meta(gt=0, le=24)]
    watchlist_hours: Annotated[float, msgspec.Meta(ge=0, le=24)]
    footage_days: Annotated[float, msgspec.Meta(ge=0, le=0)]
    ledger_months: Annotated[float, msgspec.Meta(gt=0, le=12)]
    log_years: Annotated[float, msgspec.Meta(ge=6)]


class Hold(Strict, frozen=True):
    """One reason to keep an alert as evidence. needs_reference: a case, complaint or request number (G2)."""

    code: Code
    title: Words
    max_days: Positive
    needs_reference: bool = True


class Review(Strict, frozen=True):
    """What must be published before a deployment (J1; notice_hours 0 = nothing), and what must be done after it before
    the next is authorised (A11, J2).
    """

    review_days: Positive = 31.0
    record_days: Positive = 7.0
    notice_hours: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class Policy(Strict, frozen=True):
    """One force's policy. modes: which modes it may be used in. people: the parts that somebody with an account must
    have in every deployment; conflicts: pairs of them that one person may not have (A9). needs_place: whether a plan
    draws its place on the map; place_radius_m: how far from it a photograph of the signs may be taken (C4). oversight:
    public keys (64 hex digits) of those who may suspend a deployment from outside the force (H3).
    """

    name: Code
    version: Words
    title: Words
    modes: tuple[Mode, ...]
    authority: Authority
    use_cases: tuple[UseCase, ...]
    actions: tuple[Action, ...]
    categories: tuple[Category, ...]
    sources: tuple[Source, ...]
    watchlist: Watchlist
    retention: Retention
    holds: tuple[Hold, ...] = ()
    ages: Ages = Ages()
    documents: tuple[Document, ...] = ()
    signs: Signs = Signs()
    sensitive: Sensitive = Sensitive()
    approvers: tuple[Approver, ...] = ()
    review: Review = Review()
    people: tuple[Role, ...] = ("authorising-officer", "watchlist-owner", "operator")
    conflicts: tuple[tuple[Role, Role], ...] = ()
    oversight: tuple[str, ...] = ()
    needs_place: bool = True
    place_radius_m: Positive = 500.0

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, 64 hex digits: what a mandate binds."""
        return hashlib.sha256(canonical(msgspec.to_builtins(self))).hexdigest()

    def rank_reaches(self, rank: str | None, least: str) -> bool:
        """Whether a rank is at least `least`; an unknown rank reaches nothing."""
        ranks = self.authority.ranks
        return rank in ranks and least in ranks and ranks.index(rank) >= ranks.index(least)

    def band_for(self, entries: int) -> int | None:
        """The upper end of the smallest band that holds so many entries; None beyond the largest or above the cap."""
        if entries > self.watchlist.cap:
            return None
        return min((band for band in self.watchlist.bands if band >= entries), default=None)
