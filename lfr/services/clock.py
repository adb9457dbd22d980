"""What time it is for everything that must go: never earlier than it has been, whatever the wall clock says (A3, M2).

Time goes on with the machine's own count of seconds since its start (which a set clock does not touch), from the latest
moment ever seen, which is noted every ten seconds. Only what passes while the machine is off and its clock is set back
cannot be known.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from lfr import log
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import ClockMark

NOTED_EVERY = timedelta(seconds=10)
TOLERATED = timedelta(seconds=5)
"""How far the wall clock may lag without a word: time servers correct it by less."""

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """The clocks of this machine. boot: which start of the machine; up_s: seconds since then, sleep included."""

    wall: datetime
    boot: str
    up_s: float


@dataclass(frozen=True, slots=True)
class Time:
    """at: the moment that deadlines are held against. behind: how far the wall clock lags behind it."""

    at: datetime
    behind: timedelta

    @property
    def trusted(self) -> bool:
        """Whether the wall clock may be relied on."""
        return self.behind <= TOLERATED


def read(wall: datetime | None = None) -> Reading:
    """The clocks now; wall: instead of the machine's own."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return Reading(wall or now(), boot, time.clock_gettime(time.CLOCK_BOOTTIME))


async def look(db: Database, reading: Reading | None = None) -> Time:
    """The time; the latest moment is remembered. Raises StorageError."""
    given = reading or read()
    async with db.session() as session:
        mark = await session.get(ClockMark, 1)
    at = given.wall if mark is None else later(mark, given)
    if mark is None or at - mark.latest >= NOTED_EVERY:
        await _note(db, given, at)
    found = Time(at, at - given.wall)
    if not found.trusted:
        _log.warning("clock.set-back", behind_s=round(found.behind.total_seconds()))
    return found


def later(mark: ClockMark, reading: Reading) -> datetime:
    """The wall clock's time, or what must have passed since the mark, whichever is later."""
    passed = reading.up_s - mark.up_s if reading.boot == mark.boot else 0.0
    return max(reading.wall, mark.latest + timedelta(seconds=max(0.0, passed)))


async def _note(db: Database, reading: Reading, at: datetime) -> None:
    try:
        async with db.transaction() as session:
            mark = (await session.exec(select(ClockMark).where(col(ClockMark.id) == 1).with_for_update())).first()
            mark = mark or ClockMark(id=1, latest=at)
            mark.latest, mark.boot, mark.up_s = max(at, mark.latest), reading.boot, reading.up_s
            session.add(mark)
    except IntegrityError:
        return  # another process has made the row a moment ago
