"""Watchlist entries and their pictures: codes in the clear, everything that names or shows a person sealed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from lfr.domain.age_bands import AGE_BANDS
from lfr.storage.columns import Table, UtcDateTime, now, one_of, refers


class WatchlistEntry(Table, table=True):
    """One listed person of one deployment. Sealed under the entry's own key: label, details.

    label_mac, nominal_mac: keyed digests (a key of the deployment) that find an entry by its label or by the force's
    nominal reference. details_sealed: lfr.domain.listing.Details as JSON: nominal reference, date of birth, reason,
    evidence reference, presence rationale, safeguarding plan. category, action, age_band, offence, max_sentence_years,
    legal_basis: codes and figures that are published as counts. leaf: the entry's part of the list's digest
    (lfr.domain.list_digest), from the moment somebody signed for it, kept after it was taken off so that the approved
    digest can still be checked. placed: whether its details say why the person is expected at the
    place (A5). special_decision, special_approval: the signed decision to list a child or a case below the seriousness
    floor (B3, B8), and the second one that the youngest need. alike: the entry it is much alike to (B7).
    status_at: when the source system last said that the person is still wanted (B4).
    """

    __tablename__: ClassVar[str] = "watchlist_entry"
    __table_args__: ClassVar[Any] = (
        refers("deployment_id", "deployment.id"),
        one_of("age_band", AGE_BANDS),
        # A label names one living entry; after a revocation it may be used again.
        Index(
            "uq_watchlist_entry_label",
            "deployment_id",
            "label_mac",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_watchlist_entry_nominal", "deployment_id", "nominal_mac"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID
    label_sealed: bytes | None
    label_mac: bytes | None
    nominal_mac: bytes | None = None
    details_sealed: bytes | None = None
    category: str
    action: str
    legal_basis: str = ""
    offence: str = ""
    max_sentence_years: float | None = None
    age_band: str = "unknown"
    vulnerable: bool = False
    placed: bool = False
    approver: str = ""
    review_on: date | None = None
    expires_on: date | None = None
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    added_by: str
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checked_by: str | None = None
    special_decision: UUID | None = None
    special_approval: UUID | None = None
    status_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    alike: UUID | None = None
    leaf: str | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_by: str | None = None
    revoked_reason: str | None = None


class WatchlistImage(Table, table=True):
    """One enrolled picture: its template and its face cut-out (JPEG), both sealed under the entry's key.

    The template has the deployment's own transform (B12). picture_mac: keyed digest of the file given, for finding
    duplicates; a plain hash would let anybody test a picture against a stolen database. template_sealed, picture_sealed
    and picture_mac are NULL once shredded. face_px: shorter box side in pixels. source, lawful_hold: codes of the
    policy; taken_on, hold_review_on, unconvicted: provenance (B5).
    """

    __tablename__: ClassVar[str] = "watchlist_image"
    __table_args__: ClassVar[Any] = (
        refers("deployment_id", "deployment.id"),
        refers("entry_id", "watchlist_entry.id"),
        UniqueConstraint("deployment_id", "picture_mac"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID
    entry_id: UUID = Field(index=True)
    picture_mac: bytes | None
    dim: int
    face_px: float
    sharpness: float
    score: float
    source: str = ""
    lawful_hold: str = ""
    taken_on: date | None = None
    hold_review_on: date | None = None
    unconvicted: bool = False
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    # Last, since SQLite reads a row in this order: what is counted lies before what is large.
    template_sealed: bytes | None
    picture_sealed: bytes | None
