"""Attempts to give a password: counted before they are looked at, told alike whatever was wrong, logged when they fail.

Signing in, changing a password and signing a decision all come through here, so none is an easier way to guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.errors import NotSignedIn
from lfr.services import audit, passwords
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import User

FAILURES = 5
LOCK_FIRST = timedelta(seconds=60)
LOCK_MOST = timedelta(minutes=15)
WRONG = "the name or the password is wrong"


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody who gave the right password. It was right for this hash: see `settled`."""

    id: UUID
    name: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    id: UUID
    name: str
    password_hash: str
    refused: bool
    failures: int = 0
    lock: timedelta | None = None


async def prove(db: Database, name: str, password: str, *, wrong: str = WRONG) -> Proven:
    """Who gave this password. The caller calls `settled` in the transaction of what it was given for.

    Raises NotSignedIn, in the same words and after the same work whether the name is unknown, the password is wrong
    or the name is locked. It counts as a failed sign-in.
    """
    attempt = await _reserve(db, name)
    right = await passwords.verified(attempt.password_hash if attempt else None, password)
    if attempt is None or attempt.refused or not right:
        await _failed(db, attempt)
        raise NotSignedIn(wrong, hint=f"after {FAILURES} failures in a row a name is locked for a while")
    return Proven(attempt.id, attempt.name, attempt.password_hash)


async def settled(session: AsyncSession, proven: Proven) -> User:
    """The account, for changes in this transaction; its failures are forgotten.

    Raises NotSignedIn when the password was changed since it was proven.
    """
    query = select(User).where(col(User.id) == proven.id).with_for_update()
    user = (await session.exec(query)).first()
    if user is None or user.password_hash != proven.password_hash:
        raise NotSignedIn(WRONG, hint="it was changed a moment ago: try again")
    user.failures, user.locked_until = 0, None
    return user


def locked(user: User, at: datetime) -> bool:
    """Whether the name is locked at that moment."""
    return user.locked_until is not None and user.locked_until > at


async def _reserve(db: Database, name: str) -> _Attempt | None:
    """Count the attempt as failed before looking at the password, so that many at once get no more guesses than one
    after another. None when the name is unknown, refused when it is locked.
    """
    at = now()
    async with db.transaction() as session:
        query = select(User).where(col(User.name) == passwords.normal(name).strip().lower()[:64]).with_for_update()
        user = (await session.exec(query)).first()
        if user is None:
            return None
        if locked(user, at):
            return _Attempt(user.id, user.name, user.password_hash, refused=True)
        user.failures += 1
        lock = None
        if user.failures >= FAILURES:
            lock = min(LOCK_FIRST * 2 ** min(user.failures - FAILURES, 10), LOCK_MOST)
            user.locked_until = at + lock
        return _Attempt(user.id, user.name, user.password_hash, refused=False, failures=user.failures, lock=lock)


async def _failed(db: Database, attempt: _Attempt | None) -> None:
    # What was typed as a name is not written down where nobody has it: it may be a password in the wrong field.
    subject = attempt.name if attempt else "unknown"
    async with db.transaction() as session:
        audit.record(session, kind="user.sign-in-failed", actor="anonymous", subject=subject, payload={})
        if attempt is not None and attempt.lock is not None:
            seconds = int(attempt.lock.total_seconds())
            payload = {"failures": attempt.failures, "seconds": seconds}
            audit.record(session, kind="user.locked", actor="system", subject=attempt.name, payload=payload)
        await audit.sequence_within(db, session)
