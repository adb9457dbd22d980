"""The documents a force rests on (A8): registered by the hash of the file, with version, approval and expiry."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlmodel import col, select

from lfr.domain.errors import ConfigError, Conflict, NotFound
from lfr.domain.policy import Policy
from lfr.services import audit
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Document


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document as it is registered. code: of the policy. sha256: of the file, 64 hex digits. expires_at: None = after
    the policy's max_age_days. covers_public: it speaks of people who are not listed.
    """

    code: str
    version: str
    sha256: str
    approved_at: datetime
    approved_by: str
    url: str = ""
    covers_public: bool = False
    expires_at: datetime | None = None


def file_digest(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits. Raises ConfigError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="give the approved document's file") from None


async def add(db: Database, force: str, new: NewDocument, *, policy: Policy, by: str) -> Document:
    """Register a document. Raises Conflict for a code the policy does not have, an approval still to come, an expiry
    before it, or a file that is registered already.
    """
    kind = next((one for one in policy.documents if one.code == new.code), None)
    if kind is None:
        known = ", ".join(one.code for one in policy.documents) or "none"
        raise Conflict(f"the policy asks for no document {new.code[:63]!r}", hint=f"it asks for: {known}")
    expires_at = new.expires_at or new.approved_at + timedelta(days=kind.max_age_days)
    _sound(new, expires_at)
    made = Document(
        force=force,
        code=new.code,
        title=kind.title,
        version=new.version.strip(),
        sha256=new.sha256,
        url=new.url.strip(),
        covers_public=new.covers_public,
        approved_at=new.approved_at,
        approved_by=new.approved_by.strip(),
        expires_at=expires_at,
    )
    async with db.transaction() as session:
        same = select(Document).where(
            col(Document.force) == force,
            col(Document.code) == new.code,
            col(Document.sha256) == new.sha256,
            col(Document.withdrawn_at).is_(None),
        )
        if (await session.exec(same)).first() is not None:
            raise Conflict(
                "this file is registered already", hint="withdraw the earlier one, or register the new version"
            )
        session.add(made)
        payload = {"code": new.code, "digest": new.sha256, "covers_public": new.covers_public}
        audit.record(session, kind="document.added", actor=by, subject=str(made.id), payload=payload)
        await audit.sequence_within(db, session)
    return made


def _sound(new: NewDocument, expires_at: datetime) -> None:
    if not new.version.strip() or not new.approved_by.strip():
        raise Conflict("a document needs its version and who approved it")
    if len(new.version) > 120 or len(new.approved_by) > 120 or len(new.url) > 2000:
        raise Conflict("version, approver or address is too long")
    if len(new.sha256) != 64 or not set(new.sha256) <= set("0123456789abcdef"):
        raise Conflict("a document is named by the SHA-256 of its file, 64 hex digits")
    if new.approved_at > now():
        raise Conflict("a document is registered when it is approved, not before")
    if expires_at <= new.approved_at:
        raise Conflict("a document expires after its approval, not before")


async def withdraw(db: Database, document_id: UUID, *, by: str) -> None:
    """From now on nothing may rest on it. Raises NotFound, and Conflict when that was done before."""
    async with db.transaction() as session:
        found = (await session.exec(select(Document).where(col(Document.id) == document_id).with_for_update())).first()
        if found is None:
            raise NotFound(f"there is no document {document_id}", hint="`lfr document list` shows them")
        if found.withdrawn_at is not None:
            raise Conflict("this document was withdrawn already")
        found.withdrawn_at = now()
        audit.record(session, kind="document.withdrawn", actor=by, subject=str(document_id), payload={})
        await audit.sequence_within(db, session)


async def registered(db: Database, force: str) -> Sequence[Document]:
    """All documents of a force, those in force first, the newest of each code before the others."""
    async with db.session() as session:
        query = select(Document).where(col(Document.force) == force)
        rows = (await session.exec(query)).all()
    return sorted(rows, key=lambda one: (one.code, one.withdrawn_at is not None, -one.approved_at.timestamp()))


async def current(db: Database, force: str, at: datetime) -> tuple[UUID, ...]:
    """The newest document of each code that is in force at `at`: what a new plan links to."""
    newest: dict[str, Document] = {}
    for one in await registered(db, force):
        if one.withdrawn_at is None and one.approved_at <= at < one.expires_at:
            newest.setdefault(one.code, one)
    return tuple(one.id for one in newest.values())
