"""The supervisor: asks everybody how they are, keeps the deployment's duty, and answers for the whole system.

It is where mandates are minted, so it runs on the node where the keys lie. All it knows it finds again after its death:
from the actors, from the database, and from the run's folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import ray

from lfr import log
from lfr.actors.control import ActorStatus, CameraStatus, SystemStatus
from lfr.actors.crew import Crew, Roster
from lfr.actors.duty import Charge, Duty, Sight
from lfr.actors.journal import Crashes
from lfr.actors.shell import Shell, find
from lfr.actors.store import StoreAddress
from lfr.actors.watchdog import CRASH_WINDOW_S, Reading
from lfr.config import Config
from lfr.domain.ages import Ages
from lfr.domain.bundle import Bundle
from lfr.domain.policy import Policy
from lfr.services import machine
from lfr.services.terms import Terms
from lfr.storage.database import Database
from lfr.storage.node import open_node

_log = log.get(__name__)

ROUND_S = 0.5
TEND_S = 0.25
PATIENCE_S = 2.0
REFUSALS_S = 10.0
"""Refusals of one kind are recorded at most so often, with how many there were."""

BLIND = frozenset({"no frames", "frozen", "black", "reconnecting", "failed"})


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
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What every step is judged by. registrar: public key, 64 hex digits."""

    policy: Policy
    bundle: Bundle
    registrar: str


class SupervisorActor(Shell):
    """Health and duty of one system."""

    kind = "supervisor"
    max_concurrency = 32

    def __init__(
        self,
        name: str,
        folder: str,
        log_level: str,
        members: list[Member],
        facts: Facts,
        writer: str,
        roster: Roster,
        config: Config,
        rules: Rules,
        store: StoreAddress,
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
        self._answered: dict[str, float] = {}
        self._seeing = time.monotonic()
        self._refusals = Refusals()
        self._crashes = Crashes(self.folder)
        if self.restarts:
            self._crashes.add(time.time())
        self._config = config
        self._rules = rules
        self._db = Database(store.url)
        self._duty = Duty(
            Charge(config.name, rules.policy, self._terms),
            self._db,
            open_node(store.node_key, store.keys, create=False),
            Crew(roster),
            self._crashes,
            self._record,
            begun=not self.restarts,
        )

    @ray.method(max_task_retries=-1)
    async def watch(self) -> None:
        """Ask everybody and keep the duty, for ever. Ray calls it anew after a restart."""
        await asyncio.gather(self._ask_for_ever(), self._tend_for_ever())

    async def _ask_for_ever(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.gather(*(self._ask(member) for member in self._members))
            await self._note_changes()
            self._rounds += 1
            await asyncio.sleep(max(0.0, ROUND_S - (time.monotonic() - began)))

    async def _tend_for_ever(self) -> None:
        while True:
            if self._rounds:
                try:
                    await self._duty.tend(self._reading(), self._sights())
                except Exception as error:  # a fault of ours must not leave the duty unattended
                    _log.error("duty.fault", kind=type(error).__name__, exc_info=True)
            await asyncio.sleep(TEND_S)

    async def go_live(self, deployment_id: UUID, by: str) -> None:
        """As `Duty.go_live`."""
        await self._duty.go_live(deployment_id, by)

    async def pause(self, reason: str, by: str) -> None:
        """As `Duty.pause`."""
        await self._duty.pause(reason, by)

    async def resume(self, by: str) -> None:
        """As `Duty.resume`."""
        await self._duty.resume(by)

    async def renew(self) -> None:
        """As `Duty.renew`."""
        await self._duty.renew()

    async def end(self, reason: str, by: str) -> None:
        """As `Duty.end`."""
        await self._duty.end(reason, by)

    async def _terms(self) -> Terms:
        writers = self._of("audit-writer")
        writer_ok = bool(writers) and not any(answer["failing"] for answer in writers)
        system = await machine.look(self._db, self._config, self._rules.registrar, writer_ok=writer_ok)
        return Terms(self._rules.policy, self._rules.bundle, system)

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
        self._answered[member.kind] = time.monotonic()
        if who.restarts > before.restarts and before.pid:
            self._crashes.add(time.time(), who.restarts - before.restarts)
            await self._record("actor.restarted", member.name, {"actor_kind": who.kind, "restarts": who.restarts})

    async def _note_changes(self) -> None:
        cameras = self._cameras()
        for camera in cameras:
            if self._health.get(camera.id, "opening") != camera.health:
                await self._record("camera.health", camera.id, {"health": camera.health})
            self._health[camera.id] = camera.health
        if not cameras or not all(camera.health in BLIND for camera in cameras):
            self._seeing = time.monotonic()
        for name, answer in self._answers.items():
            self._refusals.heard(name, answer["who"].pid, answer.get("refused", {}))
        for name, code, times in self._refusals.due(time.monotonic()):
            await self._record("mandate.refused", name, {"code": code, "times": times})

    async def _record(self, kind: str, subject: str, payload: dict[str, Any]) -> None:
        _log.info(kind, subject=subject, **payload)
        with contextlib.suppress(Exception):  # the writer may be restarting: the next change is recorded again
            await asyncio.wait_for(self._writer.record.remote(kind, subject, payload), PATIENCE_S)

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [self._answers[m.name] for m in self._members if m.kind == kind and m.name in self._answers]

    def _cameras(self) -> tuple[CameraStatus, ...]:
        return tuple(answer["camera"] for answer in self._of("camera"))

    def _sights(self) -> dict[str, Sight]:
        living = [answer for answer in self._of("camera") if self._actors[answer["who"].name].alive]
        return {one["camera"].id: Sight(one["mandate"], one["camera"].recognition) for one in living}

    def _reading(self) -> Reading:
        now = time.time()
        return Reading(
            wall=now,
            steady=time.monotonic(),
            answered=dict(self._answered),
            seeing=self._seeing,
            behind_s=max((answer["behind_s"] for answer in self._of("audit-writer")), default=0.0),
            crashes=self._crashes.since(now - CRASH_WINDOW_S),
        )

    @ray.method(concurrency_group="control")
    async def status(self) -> SystemStatus:
        """The whole system as of the last round."""
        facts, row, held = self._facts, self._duty.deployment, self._duty.held
        matchers = [answer for answer in self._of("matcher") if answer["threshold"] is not None]
        ages = Ages.merged(answer["ages"] for answer in self._answers.values() if "ages" in answer)
        matcher = matchers[0] if matchers else None
        return SystemStatus(
            state=self._state(),
            mode=facts.mode,
            name=facts.name,
            pack=facts.pack,
            deployment_id=str(row.id) if row else None,
            deployment_state=row.state if row else None,
            reason=row.state_reason if row and row.state in {"paused", "stopped", "suspended"} else "",
            mandate_ends_at=held.until if held else None,
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
        row = self._duty.deployment
        if not self._rounds:
            return "starting"
        if row is None or row.state not in {"live", "paused", "stopped", "suspended"}:
            return "idle"
        if row.state != "live":
            return "paused" if row.state == "paused" else "stopped"
        well = all(actor.alive for actor in self._actors.values()) and self._duty.held is not None
        failing = any(answer["failing"] for answer in self._of("audit-writer"))
        blind = any(c.health in BLIND or c.recognition == "outside envelope" for c in self._cameras())
        return "degraded" if failing or not well or blind else "live"


class Refusals:
    """What the workers refused, from their counters; a worker that died starts again at nothing."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str], int] = {}
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._told: dict[tuple[str, str], float] = {}

    def heard(self, name: str, pid: int, refused: dict[str, int]) -> None:
        """One worker's counters, by code."""
        for code, times in refused.items():
            self._waiting[name, code] += times - self._known.get((name, pid, code), 0)
            self._known[name, pid, code] = times

    def due(self, steady: float) -> list[tuple[str, str, int]]:
        """What is to be recorded now: worker, code, how many since the last time."""
        found = []
        for (name, code), times in self._waiting.items():
            if times and steady - self._told.get((name, code), -REFUSALS_S) >= REFUSALS_S:
                self._told[name, code] = steady
                found.append((name, code, times))
        for name, code, _ in found:
            del self._waiting[name, code]
        return found
