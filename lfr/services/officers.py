"""Officers who sign: with a key that their password opens, or with one that they hold elsewhere (A1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.authority import Decision, Endorsed
from lfr.domain.errors import AuthorityError, Conflict, NotAllowed, NotFound, SignatureInvalid, VaultError
from lfr.domain.signing import Signed, Statement, sign
from lfr.services import attempts, audit, officer_keys
from lfr.services.registrar import VALID, Registrar
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import OfficerKey, User


@dataclass(frozen=True, slots=True)
class Signer:
    """An officer whose key is open, for the decision that the password was re-entered for."""

    officer: str
    rank: str | None
    roles: tuple[str, ...]
    credential: Signed
    key: Ed25519PrivateKey = field(repr=False)

    def endorse(self, said: Statement) -> Endorsed:
        """Sign. Raises AuthorityError for a decision in another officer's name."""
        if isinstance(said, Decision) and said.officer != self.officer:
            raise AuthorityError(f"{self.officer} cannot sign a decision of {said.officer}")
        return Endorsed(sign(said, self.key), self.credential)


@dataclass(frozen=True, slots=True)
class OfficerSummary:
    """An officer's key as lists show it. expires_at: the credential's; None without one."""

    name: str
    public: str
    held: str
    made_at: datetime
    retired_at: datetime | None
    expires_at: datetime | None


async def signer(db: Database, registrar: Registrar, name: str, password: str) -> Signer:
    """Open an officer's key with the re-entered password, and renew its credential where it is time.

    Raises NotSignedIn for a wrong name or password, told alike and counted as a failed sign-in; NotAllowed while the
    password is a one-time one; AuthorityError for a key that is held elsewhere, or without a valid credential.
    """
    proven = await attempts.prove(db, name, password)
    async with db.session() as session:
        held = await officer_keys.living(session, proven.id)
    fresh = await officer_keys.generate(password) if held is None else None
    public, wrapped = (fresh.public, fresh.wrapped) if fresh else (held.public, held.wrapped) if held else ("", None)
    key = await _opened(public, wrapped, password, proven.name)
    async with db.transaction() as session:
        user = await attempts.settled(session, proven)
        row = await _living(session, user, public, fresh)
        # The right password was given, whatever else is wrong: that much is kept.
        credential = _credential_or_why(session, registrar, user, row)
        await audit.sequence_within(db, session)
    if isinstance(credential, AuthorityError | NotAllowed):
        raise credential
    return Signer(user.name, user.rank, tuple(user.roles), credential, key)


def _credential_or_why(
    session: AsyncSession, registrar: Registrar, user: User, row: OfficerKey
) -> Signed | AuthorityError | NotAllowed:
    if user.must_change:
        return NotAllowed("a one-time password signs nothing", hint="change it first")
    try:
        return _credential(session, registrar, user, row, now())
    except AuthorityError as error:
        return error


async def _opened(public: str, wrapped: bytes | None, password: str, name: str) -> Ed25519PrivateKey:
    if wrapped is None:
        raise AuthorityError(f"{name} signs with a key that is held elsewhere", hint="use `lfr key sign`")
    try:
        return await officer_keys.unlock(public, wrapped, password)
    except VaultError:
        raise AuthorityError(
            f"the signing key of {name} does not open", hint="`lfr user reset` gives a new password and a new key"
        ) from None


async def _living(session: AsyncSession, user: User, public: str, fresh: officer_keys.NewKey | None) -> OfficerKey:
    row = await officer_keys.living(session, user.id)
    if row is None and fresh is not None:
        return await officer_keys.replace(
            session, user.id, user.name, public=fresh.public, wrapped=fresh.wrapped, by=user.name, at=now()
        )
    if row is None or row.public != public:
        raise Conflict("the signing key was replaced a moment ago", hint="try again")
    return row


async def register(db: Database, registrar: Registrar, name: str, public_key: str, *, by: str = "system") -> None:
    """Let an officer sign with a key that is held elsewhere; the one kept here is retired.

    public_key: 64 hex digits. Raises NotFound for an unknown name, Conflict for a key that is malformed or known.
    """
    public = public_key.strip().lower()
    if len(public) != 64 or not all(digit in "0123456789abcdef" for digit in public):
        raise Conflict("a public key has 64 hex digits", hint="`lfr key new` prints it")
    at = now()
    async with db.transaction() as session:
        user = await _named(session, name)
        if await session.get(OfficerKey, public) is not None:
            raise Conflict("this key is known already", hint="make a new one with `lfr key new`")
        row = await officer_keys.replace(session, user.id, user.name, public=public, wrapped=None, by=by, at=at)
        if registrar.key is not None:
            _credential(session, registrar, user, row, at)
        await audit.sequence_within(db, session)


async def renew(db: Database, registrar: Registrar, names: Sequence[str] | None = None) -> int:
    """Credentials that are missing, half over or no longer true are made anew. Returns how many officers have one.

    Raises NotFound for an unknown name, AuthorityError when the registrar is elsewhere.
    """
    at = now()
    async with db.transaction() as session:
        if names is None:
            users = list((await session.exec(select(User).order_by(col(User.name)))).all())
        else:
            users = [await _named(session, name) for name in names]
        done = 0
        for user in users:
            row = await officer_keys.living(session, user.id)
            if row is not None:
                _credential(session, registrar, user, row, at)
                done += 1
        await audit.sequence_within(db, session)
    return done


async def import_credential(db: Database, registrar: Registrar, signed: Signed, *, by: str = "system") -> str:
    """Keep a credential that a registrar elsewhere made; returns the officer's name.

    A key that is not known here is then the officer's key, held elsewhere. Raises SignatureInvalid, AuthorityError for
    one that has run out or says something else than the account, NotFound for an officer without an account.
    """
    credential = registrar.read(signed)
    at = now()
    if at >= credential.expires_at:
        raise AuthorityError("this credential has run out", hint="have a new one made by the registrar")
    async with db.transaction() as session:
        user = await _named(session, credential.officer)
        if credential.rank != user.rank or set(credential.roles) != set(user.roles):
            raise AuthorityError(
                f"the credential gives {user.name} another rank or other roles than the account",
                hint="`lfr user change` sets rank and roles",
            )
        row = await session.get(OfficerKey, credential.key)
        if row is None:
            row = await officer_keys.replace(
                session, user.id, user.name, public=credential.key, wrapped=None, by=by, at=at
            )
        elif row.user_id != user.id or row.retired_at is not None:
            raise AuthorityError("the credential is for a key that was retired, or is another officer's")
        _keep(session, row, user.name, signed, credential.expires_at)
        await audit.sequence_within(db, session)
    return user.name


async def vouched(db: Database, registrar: Registrar, data: bytes | str) -> Endorsed:
    """A statement signed elsewhere, with its credential: the file may hold both, or the statement alone.

    Raises SignatureInvalid for what is neither or is signed with a key nobody here has, AuthorityError for a retired
    key or an officer without a valid credential. Who may say it is checked where it is used (`endorsed`).
    """
    try:
        given = msgspec.json.decode(data, type=Endorsed)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        signed = Signed.decode(data)
    else:
        async with db.session() as session:
            await officer_keys.require_living(session, given.said.key)
        return given
    async with db.transaction() as session:
        await officer_keys.require_living(session, signed.key)
        row = await session.get(OfficerKey, signed.key)
        user = await session.get(User, row.user_id) if row is not None else None
        if row is None or user is None:
            raise SignatureInvalid("nobody here signs with this key", hint="register it with `lfr key register`")
        credential = _credential(session, registrar, user, row, now())
        await audit.sequence_within(db, session)
    return Endorsed(signed, credential)


async def keys_of(db: Database, registrar: Registrar, name: str) -> list[OfficerSummary]:
    """An officer's keys, the newest first. Raises NotFound."""
    async with db.session() as session:
        user = await _named(session, name)
        query = select(OfficerKey).where(col(OfficerKey.user_id) == user.id).order_by(col(OfficerKey.made_at).desc())
        rows = (await session.exec(query)).all()
    return [
        OfficerSummary(
            user.name,
            row.public,
            "here, under the password" if row.wrapped else "elsewhere" if row.retired_at is None else "retired",
            row.made_at,
            row.retired_at,
            _expires_at(registrar, row),
        )
        for row in rows
    ]


def _expires_at(registrar: Registrar, row: OfficerKey) -> datetime | None:
    try:
        return registrar.read(Signed.decode(row.credential)).expires_at if row.credential else None
    except AuthorityError:  # another registrar's, from before
        return None


def _credential(session: AsyncSession, registrar: Registrar, user: User, row: OfficerKey, at: datetime) -> Signed:
    """The officer's credential, made anew where it is missing, half over or no longer true. Raises AuthorityError."""
    if row.credential:
        signed = Signed.decode(row.credential)
        left = _left(registrar, signed, user, row, at)
        if left is not None and (left > VALID.total_seconds() / 2 or registrar.key is None):
            return signed
    made = registrar.vouch(user.name, rank=user.rank, roles=user.roles, public=row.public, at=at)
    _keep(session, row, user.name, made, registrar.read(made).expires_at)
    return made


def _left(registrar: Registrar, signed: Signed, user: User, row: OfficerKey, at: datetime) -> float | None:
    """Seconds for which the credential still holds; None when it no longer says what is true."""
    try:
        said = registrar.read(signed)
    except AuthorityError:
        return None
    true = (user.name, user.rank, set(user.roles), row.public)
    if (said.officer, said.rank, set(said.roles), said.key) != true or not said.issued_at <= at < said.expires_at:
        return None
    return (said.expires_at - at).total_seconds()


def _keep(session: AsyncSession, row: OfficerKey, name: str, signed: Signed, expires_at: datetime) -> None:
    row.credential = signed.encode().decode()
    session.add(row)
    payload = {"key": row.public, "expires_at": expires_at.timestamp()}
    audit.record(session, kind="user.vouched", actor="registrar", subject=name, payload=payload)


async def _named(session: AsyncSession, name: str) -> User:
    user = (await session.exec(select(User).where(col(User.name) == name.strip().lower()))).first()
    if user is None:
        raise NotFound(f"there is no user {name.strip()[:40]!r}", hint="`lfr user list` shows all accounts")
    return user
