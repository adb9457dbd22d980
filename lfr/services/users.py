"""Who may sign in, and who is. Passwords as Argon2id, sessions as opaque tokens of which only a hash is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.errors import Conflict, NotFound, NotSignedIn, VaultError
from lfr.domain.policy import ROLES
from lfr.services import attempts, audit, officer_keys, passwords
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Session, User

SESSION_MOST = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=1)
SEEN_EVERY = timedelta(minutes=1)


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
    """Make an account and its signing key; returns its password, a new one-time password if none was given.

    must_change: the first sign-in may do nothing but change the password (default: when it is a one-time password).
    roles: one or several of lfr.domain.policy.ROLES; rank: a code of the policy, for those who authorise.
    Raises Conflict for a name that is taken or malformed, an unknown role or a weak password.
    """
    name = _name(name)
    held = _roles(roles)
    one_time = password is None
    password = passwords.one_time() if password is None else passwords.checked(password, name)
    key = await officer_keys.generate(password)
    user = User(
        name=name,
        roles=held,
        rank=rank,
        password_hash=await passwords.hashed(password),
        must_change=one_time if must_change is None else must_change,
    )
    try:
        async with db.transaction() as session:
            session.add(user)
            audit.record(session, kind="user.added", actor=by, subject=name, payload={"roles": held, "rank": rank})
            await officer_keys.replace(
                session, user.id, name, public=key.public, wrapped=key.wrapped, by=by, at=user.added_at
            )
            await audit.sequence_within(db, session)
    except IntegrityError:
        raise Conflict(f"there is a user {name} already", hint="choose another name") from None
    return password


async def list_users(db: Database) -> list[UserSummary]:
    """All accounts, by name."""
    at = now()
    async with db.session() as session:
        users = (await session.exec(select(User).order_by(col(User.name)))).all()
    return [
        UserSummary(u.name, tuple(u.roles), u.rank, u.must_change, attempts.locked(u, at), u.added_at) for u in users
    ]


async def sign_in(db: Database, name: str, password: str) -> str:
    """A new session's token (43 characters, 256 bits).

    Raises NotSignedIn, in the same words and after the same work whether the name is unknown, the password is wrong
    or the name is locked.
    """
    proven = await attempts.prove(db, name, password)
    hashed = await passwords.hashed(passwords.normal(password)) if passwords.outdated(proven.password_hash) else None
    token = secrets.token_urlsafe(32)
    at = now()
    async with db.transaction() as session:
        user = await attempts.settled(session, proven)
        user.password_hash = hashed or user.password_hash
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
    """Give the session's user a new password, under which the signing key is wrapped anew; end their other sessions.

    Raises NotSignedIn for a wrong old password (it counts as a failed sign-in) or no session, Conflict for a weak one.
    """
    signed_in = await who(db, token)
    new = passwords.checked(new, signed_in.name)
    if passwords.normal(old) == new:
        raise Conflict("the new password is the old one", hint="choose another")
    proven = await attempts.prove(db, signed_in.name, old, wrong="the old password is wrong")
    hashed = await passwords.hashed(new)
    key = await _key_under(db, proven.id, old, new)
    async with db.transaction() as session:
        user = await attempts.settled(session, proven)
        user.password_hash, user.must_change = hashed, False
        await _keep_key(session, user, key)
        await session.exec(
            delete(Session).where(col(Session.user_id) == user.id, col(Session.token_hash) != _token_hash(token))
        )
        audit.record(session, kind="user.password-changed", actor=user.name, subject=user.name, payload={})
        await audit.sequence_within(db, session)


async def change_user(
    db: Database, name: str, *, roles: Collection[str] | None = None, rank: str | None = None, by: str = "system"
) -> None:
    """Give an account other roles, another rank (empty = none), or both. Its credential is renewed when it next signs.

    Raises NotFound for an unknown name, Conflict for an unknown role.
    """
    held = None if roles is None else _roles(roles)
    async with db.transaction() as session:
        user = await _named(session, name)
        user.roles = user.roles if held is None else held
        user.rank = user.rank if rank is None else rank or None
        payload = {"roles": user.roles, "rank": user.rank}
        audit.record(session, kind="user.changed", actor=by, subject=user.name, payload=payload)
        await audit.sequence_within(db, session)


async def reset_password(db: Database, name: str, *, by: str = "system") -> str:
    """A new one-time password for somebody who has lost theirs, and a new signing key: nobody can open the old one.

    It also ends their sessions and lifts a lock. Raises NotFound.
    """
    password = passwords.one_time()
    hashed, key = await passwords.hashed(password), await officer_keys.generate(password)
    async with db.transaction() as session:
        user = await _named(session, name)
        user.password_hash, user.must_change = hashed, True
        user.failures, user.locked_until = 0, None
        await session.exec(delete(Session).where(col(Session.user_id) == user.id))
        audit.record(session, kind="user.password-reset", actor=by, subject=user.name, payload={})
        await officer_keys.replace(session, user.id, user.name, public=key.public, wrapped=key.wrapped, by=by, at=now())
        await audit.sequence_within(db, session)
    return password


@dataclass(frozen=True, slots=True)
class _Kept:
    """The key to keep under a new password. fresh: the old one did not open, or there was none."""

    public: str
    wrapped: bytes
    fresh: bool


async def _key_under(db: Database, user_id: UUID, old: str, new: str) -> _Kept | None:
    """The user's key wrapped under the new password; None for a key that is held elsewhere."""
    async with db.session() as session:
        held = await officer_keys.living(session, user_id)
    if held is not None and held.wrapped is None:
        return None
    if held is not None and held.wrapped is not None:
        try:
            return _Kept(held.public, await officer_keys.rewrapped(held.public, held.wrapped, old, new), fresh=False)
        except VaultError:
            pass
    made = await officer_keys.generate(new)
    return _Kept(made.public, made.wrapped, fresh=True)


async def _keep_key(session: AsyncSession, user: User, key: _Kept | None) -> None:
    if key is None:
        return
    row = await officer_keys.living(session, user.id)
    if key.fresh:
        await officer_keys.replace(
            session, user.id, user.name, public=key.public, wrapped=key.wrapped, by=user.name, at=now()
        )
    elif row is None or row.public != key.public:
        raise Conflict("the signing key was replaced a moment ago", hint="try again")
    else:
        row.wrapped = key.wrapped


async def _named(session: AsyncSession, name: str) -> User:
    user = (await session.exec(select(User).where(col(User.name) == name.strip().lower()).with_for_update())).first()
    if user is None:
        raise NotFound(f"there is no user {name.strip()[:40]!r}", hint="`lfr user list` shows all accounts")
    return user


async def _user(session: AsyncSession, user_id: UUID) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound("this user is no longer here")
    return user


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


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
