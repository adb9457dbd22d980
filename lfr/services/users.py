"""Who may sign in, and who is. Passwords as Argon2id, sessions as opaque tokens of which only a hash is kept."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import unicodedata
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.errors import Conflict, NotFound, NotSignedIn
from lfr.domain.policy import ROLES
from lfr.services import audit
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Session, User

FAILURES = 5
LOCK_FIRST = timedelta(seconds=60)
LOCK_MOST = timedelta(minutes=15)
SESSION_MOST = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=1)
SEEN_EVERY = timedelta(minutes=1)
PASSWORD_LEAST = 12
PASSWORD_MOST = 256

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
_hasher = PasswordHasher()  # RFC 9106's second choice: 64 MiB, 3 passes
# Two at a time: each verification takes 64 MiB, and a flood of sign-ins must not take them all at once.
_hashing = ThreadPoolExecutor(2, thread_name_prefix="password")
_DECOY = "$argon2id$v=19$m=65536,t=3,p=4$JpwmFUL8kF9uxD44J/3alA$DjFAw0j30lJRm6TuD1lU3ijudLiHfuOgj79wXepMy4M"
"""The hash of a password nobody knows: an unknown name costs an attacker the same time as a known one."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session belongs to. must_change: only changing the password is allowed."""

    user_id: UUID
    name: str
    roles: tuple[str, ...]
    rank: str | None
    must_change: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UserSummary:
    """One account as lists show it."""

    name: str
    roles: tuple[str, ...]
    rank: str | None
    must_change: bool
    locked: bool
    added_at: datetime


async def add_user(
    db: Database,
    name: str,
    roles: str | Collection[str],
    password: str | None = None,
    *,
    rank: str | None = None,
    must_change: bool | None = None,
    by: str = "system",
) -> str:
    """Make an account; returns its password, which is a new one-time password if none was given.

    must_change: the first sign-in may do nothing but change the password (default: when it is a one-time password).
    roles: one or several of lfr.domain.policy.ROLES; rank: a code of the policy, for those who authorise.
    Raises Conflict for a name that is taken or malformed, an unknown role or a weak password.
    """
    name = _name(name)
    held = _roles(roles)
    one_time = password is None
    password = _one_time_password() if password is None else _checked(password, name)
    user = User(
        name=name,
        roles=held,
        rank=rank,
        password_hash=await _hash(password),
        must_change=one_time if must_change is None else must_change,
    )
    try:
        async with db.transaction() as session:
            session.add(user)
            audit.record(session, kind="user.added", actor=by, subject=name, payload={"roles": held, "rank": rank})
            await audit.sequence_within(db, session)
    except IntegrityError:
        raise Conflict(f"there is a user {name} already", hint="choose another name") from None
    return password


async def list_users(db: Database) -> list[UserSummary]:
    """All accounts, by name."""
    at = now()
    async with db.session() as session:
        users = (await session.exec(select(User).order_by(col(User.name)))).all()
    return [UserSummary(u.name, tuple(u.roles), u.rank, u.must_change, _locked(u, at), u.added_at) for u in users]


async def sign_in(db: Database, name: str, password: str) -> str:
    """A new session's token (43 characters, 256 bits).

    Raises NotSignedIn, in the same words and after the same work whether the name is unknown, the password is wrong
    or the name is locked.
    """
    attempt = await _reserve(db, name)
    right = await _verify(attempt.password_hash if attempt else _DECOY, password)
    if attempt is None or attempt.refused or not right:
        await _failed(db, attempt)
        raise NotSignedIn(
            "the name or the password is wrong",
            hint=f"after {FAILURES} failures in a row a name is locked for a while",
        )
    rehashed = await _hash(_normal(password)) if _hasher.check_needs_rehash(attempt.password_hash) else None
    token = secrets.token_urlsafe(32)
    at = now()
    async with db.transaction() as session:
        user = await _user(session, attempt.id)
        user.failures, user.locked_until = 0, None
        user.password_hash = rehashed or user.password_hash
        await session.exec(delete(Session).where(col(Session.user_id) == user.id, col(Session.expires_at) < at))
        session.add(
            Session(
                token_hash=_token_hash(token), user_id=user.id, started_at=at, seen_at=at, expires_at=at + SESSION_MOST
            )
        )
        audit.record(session, kind="user.signed-in", actor=user.name, subject=user.name, payload={})
        await audit.sequence_within(db, session)
    return token


async def who(db: Database, token: str) -> SignedIn:
    """Whose session this is. Raises NotSignedIn when there is none, or it has ended or lain idle for too long."""
    at, key = now(), _token_hash(token)
    async with db.session() as session:
        found = (
            await session.exec(
                select(Session, User)
                .join(User, col(User.id) == col(Session.user_id))
                .where(col(Session.token_hash) == key)
            )
        ).first()
    if found is None:
        raise NotSignedIn("not signed in", hint="sign in")
    held, user = found
    if at >= held.expires_at or at - held.seen_at >= SESSION_IDLE:
        raise NotSignedIn("the session has ended", hint="sign in again")
    if at - held.seen_at >= SEEN_EVERY:
        async with db.transaction() as session:
            again = await session.get(Session, key)
            if again is not None:
                again.seen_at = at
    return SignedIn(user.id, user.name, tuple(user.roles), user.rank, user.must_change, held.expires_at)


async def sign_out(db: Database, token: str) -> None:
    """End a session. A token that is unknown or has ended changes nothing."""
    async with db.transaction() as session:
        held = await session.get(Session, _token_hash(token))
        if held is None:
            return
        user = await _user(session, held.user_id)
        await session.delete(held)
        audit.record(session, kind="user.signed-out", actor=user.name, subject=user.name, payload={})
        await audit.sequence_within(db, session)


async def change_password(db: Database, token: str, old: str, new: str) -> None:
    """Give the session's user a new password and end all their other sessions.

    Raises NotSignedIn for a wrong old password (it counts as a failed sign-in) or no session, Conflict for a weak one.
    """
    signed_in = await who(db, token)
    new = _checked(new, signed_in.name)
    if _normal(old) == new:
        raise Conflict("the new password is the old one", hint="choose another")
    attempt = await _reserve(db, signed_in.name)
    if attempt is None or attempt.refused or not await _verify(attempt.password_hash, old):
        await _failed(db, attempt)
        raise NotSignedIn("the old password is wrong", hint=f"after {FAILURES} failures in a row a name is locked")
    hashed = await _hash(new)
    async with db.transaction() as session:
        user = await _user(session, attempt.id)
        user.password_hash, user.must_change = hashed, False
        user.failures, user.locked_until = 0, None
        await session.exec(
            delete(Session).where(col(Session.user_id) == user.id, col(Session.token_hash) != _token_hash(token))
        )
        audit.record(session, kind="user.password-changed", actor=user.name, subject=user.name, payload={})
        await audit.sequence_within(db, session)


@dataclass(frozen=True, slots=True)
class _Attempt:
    id: UUID
    name: str
    password_hash: str
    refused: bool
    failures: int = 0
    lock: timedelta | None = None


async def _reserve(db: Database, name: str) -> _Attempt | None:
    """Count the attempt as failed before looking at the password, so that many at once get no more guesses than one
    after another. None when the name is unknown, refused when it is locked.
    """
    at = now()
    async with db.transaction() as session:
        query = select(User).where(col(User.name) == _normal(name).strip().lower()[:64]).with_for_update()
        user = (await session.exec(query)).first()
        if user is None:
            return None
        if _locked(user, at):
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


async def _user(session: AsyncSession, user_id: UUID) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound("this user is no longer here")
    return user


def _locked(user: User, at: datetime) -> bool:
    return user.locked_until is not None and user.locked_until > at


def _name(name: str) -> str:
    clean = name.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,31}", clean):
        raise Conflict("a user's name has 1 to 32 of a-z 0-9 . _ - and begins with a letter or digit")
    return clean


def _roles(given: str | Collection[str]) -> list[str]:
    """The roles in the order of the policy's list. Raises Conflict for none or an unknown one."""
    wanted = [given] if isinstance(given, str) else list(given)
    for role in wanted:
        if role not in ROLES:
            raise Conflict(f"there is no role {role[:40]!r}", hint=f"one of: {', '.join(ROLES)}")
    if not wanted:
        raise Conflict("an account needs at least one role", hint=f"one of: {', '.join(ROLES)}")
    return [role for role in ROLES if role in wanted]


def _normal(text: str) -> str:
    """One byte string for what looks the same, whatever the keyboard."""
    return unicodedata.normalize("NFKC", text)


def _checked(password: str, name: str) -> str:
    password = _normal(password)
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        raise Conflict(f"a password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters", hint="several words will do")
    if (len(name) > 3 and name in password.lower()) or len(set(password)) < 5:
        raise Conflict("this password is too easy to guess", hint="not the user's name, not a few repeated characters")
    return password


def _one_time_password() -> str:
    """20 characters of 31, 99 bits, in groups that can be read aloud."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(5))


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def _hash(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.hash, password)


async def _verify(password_hash: str, password: str) -> bool:
    def verify() -> bool:
        try:
            return _hasher.verify(password_hash, _normal(password[:PASSWORD_MOST]))
        except Argon2Error:
            return False

    return await asyncio.get_running_loop().run_in_executor(_hashing, verify)
