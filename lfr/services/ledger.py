"""The rights ledger (B13): rows that anybody here may write and only the data protection officer can read.

A row is sealed to the officer's public key; the private half lies under a password of its own, apart from the
account's, so that whoever resets an account neither gains the ledger nor destroys it. The officer's first look gives
each row an HMAC of its reference; without the officer's key nobody can tell whether a reference is there. All replies
look alike to everybody else: one kind of log entry without content, one length of sealed row.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.errors import NotAllowed, NotFound, NotSignedIn, VaultError
from lfr.domain.ledger import Choice, Listed, Membership, Reply, normalised, require_fitting
from lfr.domain.policy import Policy, Role
from lfr.services import audit, clock, passwords
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment, LedgerEntry, LedgerKey, LedgerReply, User, WatchlistEntry
from lfr.storage.sealed_box import seal, unseal

OFFICER: Role = "data-protection-officer"
ROW_STEP, REPLY_SIZE = 256, 4096
"""Bytes: rows are padded to a multiple of the first, replies all to the second."""
REASON_MOST = 1000
MONTH = timedelta(days=365.25 / 12)
_BATCH = 1000
_CONTEXT = b"ledger key"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One look into the ledger, for the officer alone."""

    id: UUID
    officer: str
    reference: str
    memberships: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class _Opened:
    private: X25519PrivateKey = field(repr=False)
    mac_key: bytes = field(repr=False)

    def mac(self, reference: str) -> bytes:
        return hmac.digest(self.mac_key, reference.encode(), "sha256")


async def init(db: Database, officer: str, password: str, *, by: str) -> str:
    """A new key for an officer; rows are sealed to it from now on. Returns its public half, 64 hex digits.

    What was sealed to an earlier key opens with that one's password as long as it is kept. Raises NotAllowed unless the
    account is a data protection officer's, Conflict for a weak password.
    """
    password = passwords.checked(password, officer)
    private, mac_key = X25519PrivateKey.generate(), secrets.token_bytes(32)
    public = private.public_key().public_bytes_raw().hex()
    wrapped = await passwords.wrap(private.private_bytes_raw() + mac_key, password, _bound(public))
    async with db.transaction() as session:
        await _require_officer(session, officer)
        session.add(LedgerKey(public=public, officer=officer, wrapped=wrapped))
        audit.record(session, kind="ledger.key-made", actor=by, subject=officer, payload={"key": public})
        await audit.sequence_within(db, session)
    return public


async def change_password(db: Database, officer: str, old: str, new: str) -> None:
    """Wrap the officer's ledger keys under another password. Raises NotSignedIn, NotAllowed, Conflict."""
    new = passwords.checked(new, officer)
    opened = await _unlock(db, officer, old)
    for public, one in opened.items():
        wrapped = await passwords.wrap(one.private.private_bytes_raw() + one.mac_key, new, _bound(public))
        async with db.transaction() as session:
            row = await session.get(LedgerKey, public, with_for_update=True)
            if row is not None:
                row.wrapped = wrapped


async def ready(db: Database) -> bool:
    """Whether there is a key that rows can be sealed to."""
    async with db.session() as session:
        return await _newest(session) is not None


async def record(
    session: AsyncSession,
    deployment_id: UUID,
    people: Sequence[Membership],
    *,
    policy: Policy,
    at: datetime | None = None,
) -> bool:
    """Remember memberships, in the transaction that lists the people. False: there is no ledger key yet.

    Raises Conflict for a reference that is none.
    """
    key = await _newest(session)
    if key is None:
        return False
    made = at or now()
    for person in people:
        kept = msgspec.structs.replace(
            person,
            reference=normalised(person.reference),
            reason=_cut(person.reason),
            legal_basis=_cut(person.legal_basis),
        )
        row_id = uuid4()
        session.add(
            LedgerEntry(
                id=row_id,
                deployment_id=deployment_id,
                ledger_key=key.public,
                sealed=_sealed(kept, key.public, row_id, ROW_STEP),
                made_at=made,
                expires_at=made + policy.retention.ledger_months * MONTH,
            )
        )
    return True


async def ask(db: Database, officer: str, password: str, reference: str) -> Inquiry:
    """Whether somebody was listed, for the officer alone. The log says that the ledger was asked, nothing else.

    Raises NotSignedIn for a wrong password, NotAllowed for another role, NotFound when there is no ledger.
    """
    wanted = normalised(reference)
    opened = await _unlock(db, officer, password)
    await _index(db, opened)
    macs = [one.mac(wanted) for one in opened.values()]
    async with db.session() as session:
        rows = (await session.exec(select(LedgerEntry).where(col(LedgerEntry.mac).in_(macs)))).all()
        found = [await _listed(session, row, opened[row.ledger_key]) for row in rows]
    inquiry = Inquiry(uuid4(), officer, wanted, tuple(sorted(found, key=lambda one: one.listed_at)))
    await _log(db, "ledger.asked", officer, inquiry.id)
    return inquiry


async def reply(db: Database, inquiry: Inquiry, choice: Choice, *, reason: str = "", policy: Policy) -> UUID:
    """Keep what the officer chose to answer, sealed. Returns the id it is kept under.

    Raises Conflict for a reply that is not true, or says neither without a reason.
    """
    require_fitting(choice, reason, len(inquiry.memberships))
    said = Reply(inquiry.id, inquiry.reference, choice, _cut(reason.strip()), len(inquiry.memberships))
    made = (await clock.look(db)).at
    async with db.transaction() as session:
        key = await _newest(session)
        if key is None:
            raise NotFound("there is no ledger", hint="`lfr ledger init` makes one")
        row_id = uuid4()
        session.add(
            LedgerReply(
                id=row_id,
                ledger_key=key.public,
                sealed=_sealed(said, key.public, row_id, REPLY_SIZE),
                made_at=made,
                expires_at=made + policy.retention.ledger_months * MONTH,
            )
        )
        audit.record(session, kind="ledger.replied", actor=inquiry.officer, subject=str(inquiry.id), payload={})
        await audit.sequence_within(db, session)
    return row_id


async def replies(db: Database, officer: str, password: str) -> list[Reply]:
    """What was answered, oldest first, for the officer alone. Raises NotSignedIn, NotAllowed, NotFound."""
    opened = await _unlock(db, officer, password)
    query = select(LedgerReply).where(col(LedgerReply.ledger_key).in_(list(opened))).order_by(col(LedgerReply.made_at))
    async with db.session() as session:
        rows = (await session.exec(query)).all()
    return [
        msgspec.json.decode(unseal(row.sealed, opened[row.ledger_key].private, row.id.bytes), type=Reply)
        for row in rows
    ]


async def expire(db: Database, at: datetime) -> int:
    """Delete rows and replies whose time is over. Returns how many."""
    async with db.session() as session:
        due = [
            (await session.exec(select(table.id).where(col(table.expires_at) <= at).limit(1))).first()
            for table in (LedgerEntry, LedgerReply)
        ]
    if not any(due):
        return 0
    async with db.transaction() as session:
        gone = 0
        for table in (LedgerEntry, LedgerReply):
            gone += (await session.exec(delete(table).where(col(table.expires_at) <= at))).rowcount
        audit.record(session, kind="ledger.expired", actor="system", subject="ledger", payload={"rows": gone})
        await audit.sequence_within(db, session)
    return gone


async def _unlock(db: Database, officer: str, password: str) -> dict[str, _Opened]:
    """The officer's keys that this password opens, by their public half."""
    async with db.session() as session:
        await _require_officer(session, officer)
        rows = (await session.exec(select(LedgerKey).where(col(LedgerKey.officer) == officer))).all()
    if not rows:
        raise NotFound(f"{officer} has no ledger key", hint="`lfr ledger init` makes one")
    opened = {}
    for row in rows:
        try:
            plain = await passwords.unwrap(row.wrapped, password, _bound(row.public))
        except VaultError:
            continue
        opened[row.public] = _Opened(X25519PrivateKey.from_private_bytes(plain[:32]), plain[32:])
    if not opened:
        await _log(db, "ledger.refused", officer, None)
        raise NotSignedIn("the ledger's password is wrong", hint="it is not the account's password")
    return opened


async def _index(db: Database, opened: Mapping[str, _Opened]) -> None:
    """Give every row that has none its HMAC."""
    blank = select(LedgerEntry).where(col(LedgerEntry.mac).is_(None), col(LedgerEntry.ledger_key).in_(list(opened)))
    while True:
        async with db.transaction() as session:
            rows = (await session.exec(blank.limit(_BATCH))).all()
            for row in rows:
                key = opened[row.ledger_key]
                row.mac = key.mac(_membership(row, key).reference)
        if len(rows) < _BATCH:
            return


async def _listed(session: AsyncSession, row: LedgerEntry, key: _Opened) -> Listed:
    said = _membership(row, key)
    entry = await session.get(WatchlistEntry, said.entry_id)
    deployment = await session.get(Deployment, row.deployment_id)
    over = deployment.ended_at if deployment else None
    return Listed(
        row.deployment_id,
        str(deployment.plan.get("title", "")) if deployment else "",
        said.category,
        said.reason,
        said.legal_basis,
        said.listed_at,
        (entry.revoked_at if entry else None) or over,
    )


def _membership(row: LedgerEntry, key: _Opened) -> Membership:
    return msgspec.json.decode(unseal(row.sealed, key.private, row.id.bytes), type=Membership)


def _sealed(said: Membership | Reply, public: str, row_id: UUID, step: int) -> bytes:
    plain = msgspec.json.encode(said)
    return seal(plain, bytes.fromhex(public), row_id.bytes, size=-(-len(plain) // step) * step)


def _cut(text: str) -> str:
    """Printable, and of a length that fits."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return plain.encode()[:REASON_MOST].decode(errors="ignore")


async def _newest(session: AsyncSession) -> LedgerKey | None:
    query = select(LedgerKey).order_by(col(LedgerKey.made_at).desc()).limit(1)
    return (await session.exec(query)).first()


async def _require_officer(session: AsyncSession, name: str) -> None:
    user = (await session.exec(select(User).where(col(User.name) == name))).first()
    if user is None or OFFICER not in user.roles:
        raise NotAllowed(
            "the ledger is the data protection officer's alone", hint=f"an account with the role {OFFICER}"
        )


async def _log(db: Database, kind: str, officer: str, inquiry: UUID | None) -> None:
    async with db.transaction() as session:
        audit.record(session, kind=kind, actor=officer, subject=str(inquiry or "ledger"), payload={})
        await audit.sequence_within(db, session)


def _bound(public: str) -> bytes:
    return _CONTEXT + bytes.fromhex(public)
