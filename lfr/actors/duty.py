"""The running side of a deployment: it goes live, pauses, resumes, stops and ends, and whoever recognises follows.

The database says what state a deployment is in, and nothing here outlives it: after its own death, and after that of
the whole system, the duty reads the state, has everything verified again (a fresh mandate) and goes on, or ends it when
its time has passed. Whenever it takes recognition away, the actors are told first and the database second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from lfr import log
from lfr.actors.control import Recognition
from lfr.actors.journal import Crashes
from lfr.actors.watchdog import BY_PERSON, Reading, Watchdog
from lfr.domain.errors import Conflict, LfrError, NotFound, StorageError
from lfr.domain.lifecycle import URGENT_LAPSED, WINDOW_OVER
from lfr.domain.mandate import Mandate, lapses_at
from lfr.domain.plan import CameraZone
from lfr.domain.policy import Policy
from lfr.domain.signing import Signed
from lfr.services import deployments, mandates
from lfr.services.life import plan_of
from lfr.services.terms import Terms
from lfr.storage.database import Database
from lfr.storage.models import Deployment
from lfr.storage.node import Node

_log = log.get(__name__)

RETRY_S = 2.0
"""A resumption that was refused is not tried again before this."""

REGRANT_S, REGRANTS = 1.0, 2
"""A camera without a mandate is given it at most so often; after so many times there is a fresh one."""


class Hands(Protocol):
    """Whoever recognises, as the duty sees them (see `lfr.actors.crew.Crew`)."""

    async def begin(self, mandate: Signed, zones: dict[str, CameraZone]) -> None:
        """Verify, load, begin."""
        ...

    async def grant(self, mandate: Signed, zones: dict[str, CameraZone]) -> None:
        """These cameras may recognise."""
        ...

    async def revoke(self, mandate_id: UUID) -> None:
        """Pause."""
        ...

    async def bar(self, deployment_id: UUID, until: float) -> None:
        """Stop or end."""
        ...

    async def say(self, word: Recognition, cameras: list[str]) -> None:
        """What tiles without a mandate say."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """The mandate in force. until: wall time of its end; ends: the same on the steady clock; the first of them ends it
    (A3, A4).
    """

    signed: Signed
    mandate: Mandate
    zones: dict[str, CameraZone]
    until: float
    ends: float

    def outdated_by(self, row: Deployment) -> bool:
        """Whether the list, the window or the authority has been changed by a decision since."""
        mandate = self.mandate
        confirmed = row.urgent_confirm_by is None and self.until < mandate.ends_at.timestamp()
        return confirmed or row.list_digest != mandate.list_digest or row.ends_at != mandate.ends_at


@dataclass(frozen=True, slots=True)
class Sight:
    """What a living camera says of itself. mandate: the one it holds."""

    mandate: UUID | None
    word: str


@dataclass(frozen=True, slots=True)
class Charge:
    """What the duty is in charge of. system: whose deployments; terms: what its steps are judged by at this moment."""

    system: str
    policy: Policy
    terms: Callable[[], Awaitable[Terms]]


Record = Callable[[str, str, dict[str, Any]], Awaitable[None]]
"""Writes a log entry of its own: kind, subject, payload."""


class Duty:
    """One at a time changes anything: whoever is asked meanwhile waits. begun: this is the system's start, not a death
    of the supervisor alone.
    """

    def __init__(
        self, charge: Charge, db: Database, node: Node, hands: Hands, crashes: Crashes, record: Record, *, begun: bool
    ) -> None:
        self.deployment: Deployment | None = None
        self.held: Held | None = None
        self.reasons: tuple[str, ...] = ()
        self._charge = charge
        self._db = db
        self._node = node
        self._hands = hands
        self._crashes = crashes
        self._record = record
        self._begun = begun
        self._watchdog = Watchdog()
        self._turn = asyncio.Lock()
        self._paused_since: float | None = None
        self._retry = self._regrant = 0.0
        self._over: Held | None = None
        self._late: dict[str, int] = {}
        self._unreachable: float | None = None

    # What people ask for.

    async def go_live(self, deployment_id: UUID, by: str) -> None:
        """Mint a mandate and begin.

        Raises GateClosed, MandateRefused, Conflict, NotAllowed, NotFound, RuntimeFailed.
        """
        async with self._turn:
            row = await self._own(deployment_id)
            other = await deployments.current(self._db, self._charge.system)
            if other is not None and other.id != row.id and other.state in {"live", "paused"}:
                raise Conflict("another deployment of this system is under way", hint="end it first")
            self._crashes.confirm()
            await self._begin(row, by)

    async def pause(self, reason: str, by: str) -> None:
        """Recognition waits. Raises Conflict unless it is live, NotAllowed."""
        async with self._turn:
            row = await self._required()
            await deployments.pause(self._db, row.id, by=by, reason=reason)
            await self._revoke()
            await self._look()

    async def resume(self, by: str) -> None:
        """A person ends a pause: the only way out of one after three crashes. Raises as `go_live`."""
        async with self._turn:
            row = await self._required()
            if row.state != "paused":
                raise Conflict(f"the deployment is {row.state}", hint="only a paused one is resumed")
            self._crashes.confirm()
            await self._begin(row, by)

    async def end(self, reason: str, by: str) -> None:
        """End the deployment. Raises Conflict, NotAllowed."""
        async with self._turn:
            row = await self._required()
            await self._end(row, reason, by)

    async def renew(self) -> None:
        """The list, the window or the authority changed: a fresh mandate. Raises as `go_live`."""
        async with self._turn:
            row = await self._required()
            if row.state == "live":
                await self._begin(row, deployments.SYSTEM)

    # What time and the state of things ask for.

    async def tend(self, seen: Reading, cameras: dict[str, Sight]) -> None:
        """Look at clocks, state and actors, and do what is due. cameras: those alive.

        Called several times a second; never raises what is ours.
        """
        async with self._turn:
            try:
                await self._in_time(seen)
                await self._look()
                await self._tend(seen, cameras)
                self._unreachable = None
            except StorageError as error:
                await self._without_database(seen, error)
            except LfrError as error:
                _log.warning("duty.failed", reason=error.message)

    async def _tend(self, seen: Reading, cameras: dict[str, Sight]) -> None:
        self.reasons = self._watchdog.reasons(seen)
        for due in await mandates.due(
            self._db, self._charge.policy, datetime.fromtimestamp(seen.wall, UTC), system=self._charge.system
        ):
            if due.what == "aged":
                await mandates.settle(self._db, due)
            else:
                await self._end(await self._own(due.deployment_id), due.reason, deployments.SYSTEM)
        await self._end_what_is_over()
        row = self.deployment
        if row is not None and row.state == "live":
            await self._tend_live(row, seen, cameras)
        elif row is not None and row.state == "paused":
            await self._tend_paused(row, seen)
        elif self.held is not None:  # somebody else has stopped or ended it
            await self._bar(self.held.mandate.deployment_id)
        await self._tell(self.deployment.state if self.deployment else "", cameras)
        self._begun = False

    async def _end_what_is_over(self) -> None:
        """What ended by the steady clock is over, even if the wall clock was set back meanwhile (A3)."""
        over, row, self._over = self._over, self.deployment, None
        if over is None or row is None or row.id != over.mandate.deployment_id or over.outdated_by(row):
            return
        if row.state in {"live", "paused"}:
            lapsed = over.until < over.mandate.ends_at.timestamp()
            await self._end(row, URGENT_LAPSED if lapsed else WINDOW_OVER, deployments.SYSTEM)

    async def _tend_live(self, row: Deployment, seen: Reading, cameras: dict[str, Sight]) -> None:
        held = self.held
        if self._begun and held is None:
            await self._pause(row, "restart")
        elif self.reasons:
            await self._pause(row, self.reasons[0])
        elif seen.steady >= self._retry and (held is None or held.outdated_by(row)):
            await self._begin_again(row, seen)
        elif held is not None and seen.steady >= self._regrant:
            await self._regrant_late(row, held, seen, cameras)

    async def _regrant_late(self, row: Deployment, held: Held, seen: Reading, cameras: dict[str, Sight]) -> None:
        """A camera that came back, or that a worker has refused: the same mandate at first, then a fresh one."""
        without = {camera for camera, sight in cameras.items() if sight.mandate is None} & held.zones.keys()
        self._late = {camera: self._late.get(camera, 0) + 1 for camera in without}
        if not without:
            return
        self._regrant = seen.steady + REGRANT_S
        if max(self._late.values()) > REGRANTS:
            self._late = {}
            await self._begin_again(row, seen)
        else:
            await self._hands.grant(held.signed, {camera: held.zones[camera] for camera in without})

    async def _tend_paused(self, row: Deployment, seen: Reading) -> None:
        if self.held is not None:
            await self._revoke()
        if row.state_reason not in BY_PERSON and not self.reasons and seen.steady >= self._retry:
            await self._begin_again(row, seen)

    async def _begin_again(self, row: Deployment, seen: Reading) -> None:
        self._retry = seen.steady + RETRY_S
        await self._begin(row, deployments.SYSTEM)

    async def _in_time(self, seen: Reading) -> None:
        """The window's end needs no database: at once nothing is recognised any more (A3)."""
        held = self.held
        if held is not None and (seen.steady >= held.ends or seen.wall >= held.until):
            self._over = held
            await self._bar(held.mandate.deployment_id)

    async def _without_database(self, seen: Reading, error: StorageError) -> None:
        """Nothing is recognised that could not be logged."""
        if self._unreachable is None:
            _log.error("duty.database", reason=error.message)
            self._unreachable = seen.steady
        if seen.steady - self._unreachable > RETRY_S:
            await self._revoke()

    async def _tell(self, state: str, cameras: dict[str, Sight]) -> None:
        if state == "live":
            return
        words: dict[str, Recognition] = {"paused": "paused", "stopped": "stopped", "suspended": "stopped"}
        word = words.get(state, "no mandate")
        wrong = [camera for camera, sight in cameras.items() if sight.word != word]
        if wrong:
            await self._hands.say(word, wrong)

    # The steps.

    async def _begin(self, row: Deployment, by: str) -> None:
        first = row.state == "ready"
        signed = await mandates.mint(self._db, self._node, row.id, terms=await self._charge.terms(), by=by)
        mandate = mandates.opened(signed)
        plan = plan_of(row)
        zones = {zone.camera: zone for zone in plan.cameras}
        try:
            await self._hands.begin(signed, zones)
        except LfrError:
            await self._revoke_quietly(mandate.id)
            await deployments.pause(self._db, row.id, by=deployments.SYSTEM, reason="start")
            await self._look()
            raise
        until = min(mandate.ends_at.timestamp(), lapses_at(mandate))
        self.held = Held(signed, mandate, zones, until, time.monotonic() + until - time.time())
        await self._look()
        if first:
            payload = {"cameras": len(zones), "entries": row.entries or 0, "threshold": mandate.threshold}
            await self._record("recognition.started", str(row.id), payload)
        if self._paused_since is not None:
            gap = {"seconds": round(time.monotonic() - self._paused_since, 1), "reason": row.state_reason or "paused"}
            await self._record("recognition.gap", str(row.id), gap)
            self._paused_since = None

    async def _pause(self, row: Deployment, reason: str) -> None:
        await self._revoke()
        await deployments.pause(self._db, row.id, by=deployments.SYSTEM, reason=reason)
        await self._look()

    async def _end(self, row: Deployment, reason: str, by: str) -> None:
        await self._bar(row.id)
        await deployments.end(self._db, row.id, by=by, reason=reason)
        await self._record("recognition.stopped", str(row.id), {"reason": reason})
        await self._look()

    async def _revoke(self) -> None:
        held, self.held = self.held, None
        if self._paused_since is None:
            self._paused_since = time.monotonic()
        if held is not None:
            await self._revoke_quietly(held.mandate.id)

    async def _revoke_quietly(self, mandate_id: UUID) -> None:
        try:
            await self._hands.revoke(mandate_id)
        except LfrError as error:  # who is dead holds nothing, and is told again when it comes back
            _log.warning("duty.unheard", reason=error.message)

    async def _bar(self, deployment_id: UUID) -> None:
        self.held = self._paused_since = None
        try:
            await self._hands.bar(deployment_id, time.time())
        except LfrError as error:
            _log.warning("duty.unheard", reason=error.message)

    async def _look(self) -> None:
        self.deployment = await deployments.current(self._db, self._charge.system)

    async def _own(self, deployment_id: UUID) -> Deployment:
        row = await deployments.get_deployment(self._db, deployment_id)
        if row.system != self._charge.system:
            raise NotFound(f"there is no deployment {deployment_id} of {self._charge.system}")
        return row

    async def _required(self) -> Deployment:
        await self._look()
        if self.deployment is None:
            raise Conflict("there is no deployment", hint="`lfr deployment new` makes one")
        return self.deployment
