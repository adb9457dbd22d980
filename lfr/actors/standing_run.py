"""A run that signs its own authority: what a demonstration, an evaluation and research with volunteers go live by.

The same statements, the same gates and the same mandate as under a force's authority; only a policy for volunteers
allows it (lfr.services.standing).
"""

from __future__ import annotations

from uuid import UUID

from lfr.actors.runtime import Runtime
from lfr.domain.plan import CameraZone
from lfr.services import standing


class StandingRun:
    """A deployment of this runtime's system. `open`, enrol, `go_live`."""

    def __init__(self, runtime: Runtime, run: standing.Run, zones: tuple[CameraZone, ...]) -> None:
        self._runtime = runtime
        self._run = run
        self._zones = zones

    @classmethod
    async def open(cls, runtime: Runtime) -> StandingRun:
        """Find or draft it; cameras recognise within the zones of the configuration. Raises AuthorityError."""
        config = runtime.config
        zones = tuple(CameraZone(camera.id, camera.zone or standing.WHOLE) for camera in config.cameras)
        run = await standing.open(
            runtime.db,
            runtime.node,
            system=config.name,
            mode=config.mode,
            force=config.force,
            pack=runtime.pack.name,
            pack_digest=runtime.bundle.pack_digest,
            policy=runtime.policy,
            cameras=zones,
        )
        made = cls(runtime, run, zones)
        runtime.control.amend = made.amend
        return made

    @property
    def deployment_id(self) -> UUID:
        """The deployment."""
        return self._run.deployment_id

    async def go_live(self, *, room: int = 0) -> None:
        """Authorise, approve the list as it stands, with room for so many more, and begin.

        Raises AuthorityError, GateClosed, MandateRefused, RuntimeFailed.
        """
        runtime = self._runtime
        terms = await runtime.terms()
        row = await standing.approve(runtime.db, self._run, terms=terms, cameras=self._zones, room=room)
        if row.state == "ready":
            await runtime.control.go_live(row.id, "system")

    async def amend(self) -> None:
        """Approve what was added to the list since. Raises AuthorityError beyond the band."""
        await standing.amend(self._runtime.db, self._run, terms=await self._runtime.terms())
