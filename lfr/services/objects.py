"""Stored objects: everything sealed that shows or describes a person has a random id, from making to receipt (G6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Update, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.storage.models import StoredObject

CHUNK = 5000
"""How many ids go into one statement."""

One = TypeVar("One")


def created(session: AsyncSession, deployment_id: UUID, owner_id: UUID, kinds: Sequence[str]) -> list[StoredObject]:
    """New objects of an entry, an alert or a deployment, in the caller's transaction.

    The caller names their ids in the log entry of that transaction: of a kind with `objects`, with the deployment as
    its subject or in `deployment` (lfr.audit.vocabulary.CREATING).
    """
    made = [StoredObject(deployment_id=deployment_id, owner_id=owner_id, kind=kind) for kind in kinds]
    session.add_all(made)
    return made


def ids(made: Collection[StoredObject]) -> list[str]:
    """As a log entry names them."""
    return [str(one.id) for one in made]


async def bulk(session: AsyncSession, statement: Update | Delete) -> int:
    """Change many rows at once; rows that the session holds already are not looked through. Returns how many."""
    done = await session.exec(statement.execution_options(synchronize_session=False))
    return done.rowcount


async def let_go(
    session: AsyncSession, deployment_id: UUID, owners: Collection[UUID] | None, *, reason: str, at: datetime
) -> int:
    """Decide that these owners' objects, or all of a deployment's, are destroyed; what is held is left out.

    From the commit on nothing but the destruction can follow (`lfr.services.shredding.finish`). Returns how many.
    """
    living = (
        col(StoredObject.deployment_id) == deployment_id,
        col(StoredObject.deleted_at).is_(None),
        col(StoredObject.going_at).is_(None),
        col(StoredObject.hold_id).is_(None),
    )
    chosen: list[ColumnElement[bool] | None] = [None]
    if owners is not None:
        chosen = [col(StoredObject.owner_id).in_(some) for some in chunks(owners)]
    done = 0
    for one in chosen:
        where = living if one is None else (*living, one)
        done += await bulk(session, update(StoredObject).where(*where).values(going_at=at, going_for=reason))
    return done


async def unfinished(session: AsyncSession) -> list[UUID]:
    """Deployments that have objects which were decided to go and have no receipt yet."""
    query = (
        select(StoredObject.deployment_id)
        .where(col(StoredObject.going_at).is_not(None), col(StoredObject.deleted_at).is_(None))
        .distinct()
    )
    return list((await session.exec(query)).all())


async def counts(session: AsyncSession, deployment_id: UUID) -> dict[str, int]:
    """How many objects are living, held, going and deleted."""
    states: dict[str, tuple[Any, ...]] = {
        "living": (
            col(StoredObject.deleted_at).is_(None),
            col(StoredObject.going_at).is_(None),
            col(StoredObject.hold_id).is_(None),
        ),
        "held": (col(StoredObject.deleted_at).is_(None), col(StoredObject.hold_id).is_not(None)),
        "going": (col(StoredObject.deleted_at).is_(None), col(StoredObject.going_at).is_not(None)),
        "deleted": (col(StoredObject.deleted_at).is_not(None),),
    }
    found = {}
    for name, where in states.items():
        query = select(func.count()).where(col(StoredObject.deployment_id) == deployment_id, *where)
        found[name] = (await session.exec(query)).one()
    return found


def chunks(many: Collection[One], size: int = CHUNK) -> Iterator[list[One]]:
    """Lists of at most `size`."""
    rest = iter(many)
    while some := list(islice(rest, size)):
        yield some
