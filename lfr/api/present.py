"""Which deployment the live page is about at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from lfr.domain.errors import NotFound
from lfr.services import deployments
from lfr.storage.database import Database


@dataclass(frozen=True, slots=True)
class Present:
    """Asked anew each time: deployments come and go while a page stays open. fixed: this one and no other."""

    db: Database
    system: str
    fixed: UUID | None = None

    async def deployment(self) -> UUID | None:
        """The one under way, or the one that comes next; None on a machine that has none."""
        if self.fixed is not None:
            return self.fixed
        row = await deployments.current(self.db, self.system)
        return row.id if row else None

    async def required(self) -> UUID:
        """The same. Raises NotFound."""
        found = await self.deployment()
        if found is None:
            raise NotFound("there is no deployment", hint="`lfr deployment new` makes one")
        return found
