"""The rows of officers' signing keys: made, wrapped anew, retired. One key of an officer lives at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.errors import AuthorityError, VaultError
from lfr.domain.signing import public_key_of
from lfr.services import audit, passwords
from lfr.storage.models import OfficerKey


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key, its private half already wrapped."""

    public: str
    wrapped: bytes


async def generate(password: str) -> NewKey:
    """A key for whoever has this password (in its normal form or not)."""
    key = Ed25519PrivateKey.generate()
    public = public_key_of(key)
    return NewKey(public, await passwords.wrap(key.private_bytes_raw(), password, _context(public)))


async def unlock(public: str, wrapped: bytes, password: str) -> Ed25519PrivateKey:
    """The private key. Raises VaultError for another password or a changed bit."""
    raw = await passwords.unwrap(wrapped, password, _context(public))
    key = Ed25519PrivateKey.from_private_bytes(raw)
    if public_key_of(key) != public:
        raise VaultError("a signing key does not belong to its public half", hint="reset the user's password")
    return key


async def rewrapped(public: str, wrapped: bytes, old: str, new: str) -> bytes:
    """The same key under another password. Raises VaultError when the old one does not open it."""
    raw = await passwords.unwrap(wrapped, old, _context(public))
    return await passwords.wrap(raw, new, _context(public))


async def living(session: AsyncSession, user_id: UUID) -> OfficerKey | None:
    """The officer's key that may sign today."""
    query = select(OfficerKey).where(col(OfficerKey.user_id) == user_id, col(OfficerKey.retired_at).is_(None))
    return (await session.exec(query.order_by(col(OfficerKey.made_at).desc()))).first()


async def replace(
    session: AsyncSession, user_id: UUID, name: str, *, public: str, wrapped: bytes | None, by: str, at: datetime
) -> OfficerKey:
    """Retire what the officer had, and keep this key. wrapped: None for a key that is held elsewhere."""
    await retire(session, user_id, name, by=by, at=at)
    made = OfficerKey(public=public, user_id=user_id, wrapped=wrapped, credential="", made_at=at)
    session.add(made)
    audit.record(session, kind="user.key-made", actor=by, subject=name, payload={"key": public})
    return made


async def retire(session: AsyncSession, user_id: UUID, name: str, *, by: str, at: datetime) -> None:
    """From now on nothing that the officer's keys sign is accepted."""
    query = select(OfficerKey).where(col(OfficerKey.user_id) == user_id, col(OfficerKey.retired_at).is_(None))
    for held in (await session.exec(query)).all():
        held.retired_at, held.wrapped = at, None
        audit.record(session, kind="user.key-retired", actor=by, subject=name, payload={"key": held.public})


async def require_living(session: AsyncSession, public: str) -> None:
    """Raises AuthorityError for a key that was retired here: its credential may not have run out yet.

    A key that is not known here may be another van's; its credential speaks for it.
    """
    held = await session.get(OfficerKey, public)
    if held is not None and held.retired_at is not None:
        raise AuthorityError("this was signed with a key that was retired", hint="sign it again with the present key")


def _context(public: str) -> bytes:
    return f"officer key {public}".encode()
