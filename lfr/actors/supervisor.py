"""The supervisor: asks everybody how they are, remembers what changed in the log, and answers for the whole system."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any

import msgspec
import ray

from lfr import log
from lfr.actors.control import ActorStatus, CameraStatus, SystemStatus
from lfr.actors.shell import Shell, find
from lfr.domain.ages import Ages

_log = log.get(__name__)

ROUND_S = 0.5
PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Member:
    """One actor under supervision."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not change during a run."""

    name: str
    mode: str
    pack: str
    deployment_id: str
    notes: tuple[str, ...] = ()


class SupervisorActor(Shell):
    """Health of one deployment. It holds nothing that its own death could lose."""

    kind = "supervisor"
    max_concurrency = 32

    def __init__(
        self, name: str, folder: str, log_level: str, members: list[Member], facts: Facts, writer: str
    ) -> None:
        super().__init__(name, folder, log_level)
        self._members = members
        self._facts = facts
        self._writer = find(writer)
        self._handles = {member.name: find(member.name) for member in members}
        self._answers: dict[str, dict[str, Any]] = {}
        self._actors: dict[str, ActorStatus] = {m.name: ActorStatus(m.name, m.kind, 0, 0, alive=False) for m in members}
        self._health: dict[str, str] = {}
        self._rounds = 0

    @ray.method(max_task_retries=-1)
    async def watch(self) -> None:
        """Ask everybody, for ever. Ray calls it anew after a restart."""
        while True:
            began = time.monotonic()
            await asyncio.gather(*(self._ask(member) for member in self._members))
            await self._note_changes()
            self._rounds += 1
            await asyncio.sleep(max(0.0, ROUND_S - (time.monotonic() - began)))

    async def _ask(self, member: Member) -> None:
        before = self._actors[member.name]
        try:
            answer = await asyncio.wait_for(self._handles[member.name].status.remote(), PATIENCE_S)
        except Exception as error:  # whatever keeps it from answering, it is not well
            if before.alive:
                _log.warning("actor.silent", member=member.name, reason=type(error).__name__)
            self._actors[member.name] = msgspec.structs.replace(before, alive=False)
            return
        who: ActorStatus = answer["who"]
        self._answers[member.name] = answer
        self._actors[member.name] = who
        if who.restarts > before.restarts and before.pid:
            await self._record("actor.restarted", member.name, {"actor_kind": who.kind, "restarts": who.restarts})

    async def _note_changes(self) -> None:
        for camera in self._cameras():
            if self._health.get(camera.id, "opening") != camera.health:
                await self._record("camera.health", camera.id, {"health": camera.health})
            self._health[camera.id] = camera.health

    async def _record(self, kind: str, subject: str, payload: dict[str, Any]) -> None:
        _log.info(kind, subject=subject, **payload)
        with contextlib.suppress(Exception):  # the writer may be restarting: the next change is recorded again
            await asyncio.wait_for(self._writer.record.remote(kind, subject, payload), PATIENCE_S)

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [self._answers[m.name] for m in self._members if m.kind == kind and m.name in self._answers]

    def _cameras(self) -> tuple[CameraStatus, ...]:
        return tuple(answer["camera"] for answer in self._of("camera"))

    @ray.method(concurrency_group="control")
    async def status(self) -> SystemStatus:
        """The whole system as of the last round."""
        matchers, facts = self._of("matcher"), self._facts
        ages = Ages.merged(answer["ages"] for answer in self._answers.values() if "ages" in answer)
        matcher = matchers[0] if matchers else None
        return SystemStatus(
            state=self._state(),
            mode=facts.mode,
            name=facts.name,
            pack=facts.pack,
            deployment_id=facts.deployment_id,
            threshold=matcher["threshold"].value if matcher else None,
            threshold_basis=matcher["threshold"].basis if matcher else "",
            watchlist_entries=matcher["entries"] if matcher else 0,
            watchlist_images=matcher["images"] if matcher else 0,
            nonmatch_age_p95_ms=ages.percentile_ms(0.95),
            nonmatch_age_max_ms=ages.max_ms,
            cameras=self._cameras(),
            actors=(*self._actors.values(), self.who()),
            notes=facts.notes,
            providers=tuple(sorted({p for answer in self._of("inference") for p in answer["providers"]})),
        )

    def _state(self) -> str:
        if self.was_stopped:
            return "stopped"
        if not self._rounds:
            return "starting"
        if not all(actor.alive for actor in self._actors.values()):
            return "degraded"
        writers = self._of("audit-writer")
        if any(answer["failing"] for answer in writers):
            return "degraded"
        wrong = {"no frames", "frozen", "black", "reconnecting", "failed"}
        return "degraded" if any(camera.health in wrong for camera in self._cameras()) else "live"
