"""The plan of a deployment: what is to be done, why, where, when, with which cameras and by whom.

A draft may be incomplete; `lfr.domain.gates` says what is missing. What is authorised is the plan's digest.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from lfr.domain.canonical import canonical
from lfr.domain.policy import Code, Role, Strict

Point = tuple[float, float]
Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
Written = Annotated[str, msgspec.Meta(max_length=8000)]
Title = Annotated[str, msgspec.Meta(max_length=200)]
PersonName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]
CameraId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class CameraZone(Strict, frozen=True):
    """Where one camera may recognise (C1), and what within that is masked out (C2). x, y in 0..1 of the picture.

    zone: at least three corners; masks: polygons of private frontage, windows, a school's gate.
    """

    camera: CameraId
    zone: tuple[tuple[Unit, Unit], ...]
    masks: tuple[tuple[tuple[Unit, Unit], ...], ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, 64 hex digits."""
        return hashlib.sha256(canonical(msgspec.to_builtins(self))).hexdigest()


class Place(Strict, frozen=True):
    """Where. polygon: (longitude, latitude), WGS 84, at least three corners."""

    title: Title = ""
    polygon: Annotated[tuple[Point, ...], msgspec.Meta(max_length=200)] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, 64 hex digits: what an authority and a mandate name as the place."""
        return hashlib.sha256(canonical(msgspec.to_builtins(self))).hexdigest()


class Reasons(Strict, frozen=True):
    """What must be written, each in its own field (A2), and why listed people will be there (A5)."""

    objective: Written = ""
    legal_basis: Written = ""
    necessity: Written = ""
    proportionality: Written = ""
    less_intrusive: Written = ""
    expected_presence: Written = ""


class Plan(Strict, frozen=True):
    """One deployment. people: who does what (A9). documents: ids of the registered documents it rests on (A8).

    critical_threat: the reason for which no notice was published beforehand (J1), empty as a rule.
    """

    title: Title
    force: Code
    use_case: Code
    categories: tuple[Code, ...] = ()
    reasons: Reasons = Reasons()
    place: Place = Place()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    cameras: tuple[CameraZone, ...] = ()
    people: dict[Role, tuple[PersonName, ...]] = msgspec.field(default_factory=dict)
    documents: tuple[UUID, ...] = ()
    critical_threat: Written = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, 64 hex digits: what an Authorising Officer signs."""
        return hashlib.sha256(canonical(msgspec.to_builtins(self, str_keys=True))).hexdigest()

    def zone_of(self, camera: str) -> CameraZone | None:
        """The zone planned for a camera."""
        return next((one for one in self.cameras if one.camera == camera), None)
