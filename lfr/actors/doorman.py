"""Who asks a worker for recognition, and the doorman that lets nobody in without a mandate (A1).

What was taken back is written to the run's folder on tmpfs, so that an actor that dies and comes back has not forgotten
it (A13). A refusal is counted by its code, logged now and then, and told to the supervisor, who records it.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from lfr import log
from lfr.domain.bundle import Bundle
from lfr.domain.errors import MandateRefused
from lfr.domain.mandate import Anchor, Guard, Mandate
from lfr.domain.policy import Policy
from lfr.domain.signing import Signed

_log = log.get(__name__)

LOG_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Pass:
    """What every call shows. zone: digest of the zone and masks that the caller applies."""

    mandate: Signed | None
    camera: str
    zone: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What a worker is told of the system at its start; the bundle's pack it finds out by itself.

    minter, registrar: public keys, 64 hex digits.
    """

    force: str
    minter: str
    registrar: str
    policy: Policy
    bundle: Bundle

    def anchor(self, running: Bundle) -> Anchor:
        """running: the bundle that this process really runs with."""
        return Anchor(
            force=self.force,
            deployment_id=None,
            place=None,
            minter=self.minter,
            registrar=self.registrar,
            policy=self.policy,
            bundle_digest=running.digest,
        )


class Revocations:
    """What was taken back on this node in this run: lines in one file, appended whole."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / "revoked"

    def add(self, line: str) -> None:
        """Durable over the death of any process when this returns."""
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, f"{line}\n".encode())
        finally:
            os.close(handle)

    def lines(self) -> list[str]:
        """All so far."""
        return self._path.read_text().splitlines() if self._path.exists() else []


class Doorman:
    """The guard of one actor, with its memory and its books. `refused`: how often, by code."""

    def __init__(
        self,
        anchor: Anchor,
        folder: Path,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._guard = Guard(anchor, wall, monotonic)
        self._monotonic = monotonic
        self._logged: dict[str, float] = {}
        self._revocations = Revocations(folder)
        for line in self._revocations.lines():
            self._apply(line)

    def check(self, shown: Pass) -> Mandate:
        """The mandate, if it is good for this camera and zone now. Raises MandateRefused, and counts it."""
        try:
            return self._guard.check(shown.mandate, shown.camera, shown.zone)
        except MandateRefused as error:
            raise self.counted(error, shown.camera) from None

    def open(self, mandate: Signed | None) -> Mandate:
        """The same without a camera: for what belongs to the deployment. Raises MandateRefused, and counts it."""
        try:
            return self._guard.open(mandate)
        except MandateRefused as error:
            raise self.counted(error) from None

    def revoke(self, mandate_id: UUID) -> None:
        """This mandate opens nothing here any more, whoever dies."""
        self._take_back(f"mandate {mandate_id}")

    def bar(self, deployment_id: UUID, until: float) -> None:
        """No mandate of this deployment issued up to `until` (Unix seconds) opens anything here any more (A13)."""
        self._take_back(f"deployment {deployment_id} {until!r}")

    def counted(self, error: MandateRefused, camera: str = "") -> MandateRefused:
        """The same refusal, counted; logged at most once in ten seconds for each code."""
        self.refused[error.code] += 1
        now = self._monotonic()
        if now - self._logged.get(error.code, -LOG_EVERY_S) >= LOG_EVERY_S:
            self._logged[error.code] = now
            _log.warning("mandate.refused", code=error.code, camera=camera, times=self.refused[error.code])
        return error

    def _take_back(self, line: str) -> None:
        self._apply(line)
        self._revocations.add(line)

    def _apply(self, line: str) -> None:
        match line.split():
            case ["mandate", mandate_id]:
                self._guard.revoke(UUID(mandate_id))
            case ["deployment", deployment_id, until]:
                self._guard.bar(UUID(deployment_id), float(until))
