"""Imports that run in the background: somebody sends a file, then asks how far it is. Reports live in memory only."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid4

from lfr import log
from lfr.domain.errors import Conflict, LfrError, NotFound
from lfr.domain.watchlist import ImportReport, RowResult

logger = log.get(__name__)

REMEMBERED = 8
"""How many reports are kept; the oldest goes first."""

Progress = Callable[[int, int], None]
Work = Callable[[Progress], Awaitable[ImportReport]]


@dataclass(slots=True)
class Import:
    """One import. total 0 = not known yet. problem, hint: why it failed; rows that were enrolled by then stay."""

    deployment_id: UUID
    by: str
    dry_run: bool
    id: UUID = field(default_factory=uuid4)
    state: Literal["running", "done", "failed"] = "running"
    done: int = 0
    total: int = 0
    rows: tuple[RowResult, ...] = ()
    problem: str = ""
    hint: str = ""


class Imports:
    """One at a time for each deployment. A stop of the system ends what runs; running it again goes on from there."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, Import] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, deployment_id: UUID, work: Work, *, by: str, dry_run: bool) -> Import:
        """Begin one. Raises Conflict while another runs in this deployment."""
        if any(one.deployment_id == deployment_id and one.state == "running" for one in self._known.values()):
            raise Conflict("an import is running in this deployment", hint="wait until it has ended")
        made = Import(deployment_id, by, dry_run)
        self._known[made.id] = made
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        task = asyncio.create_task(self._run(made, work), name=f"import-{made.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return made

    def get(self, deployment_id: UUID, import_id: UUID) -> Import:
        """Raises NotFound."""
        found = self._known.get(import_id)
        if found is None or found.deployment_id != deployment_id:
            raise NotFound("there is no such import", hint="a report is kept until eight later ones")
        return found

    async def close(self) -> None:
        """End what runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, made: Import, work: Work) -> None:
        def tell(done: int, total: int) -> None:
            made.done, made.total = done, total

        try:
            report = await work(tell)
        except LfrError as error:
            made.state, made.problem, made.hint = "failed", error.message, error.hint
        except asyncio.CancelledError:
            made.state, made.problem = "failed", "the system was stopped"
            raise
        except Exception as error:  # told by its kind only: its words may quote the file
            logger.error("import.unforeseen", kind=type(error).__name__)  # noqa: TRY400 - no traceback: see above
            made.state, made.problem = "failed", "the import failed; see the system's log"
        else:
            made.rows, made.state = report.rows, "done"
