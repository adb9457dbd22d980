"""The life of a deployment: its plan, its decisions, its states."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from lfr.audit.vocabulary.base import Code, Count, Digest, Kinds, Payload
from lfr.domain.lifecycle import Event, State


class DeploymentMade(Payload, frozen=True):
    """A deployment came into being, as a draft. pack_digest: sha256 hex of the pack's description."""

    mode: Literal["demo", "research", "operational"]
    pack: Code
    pack_digest: Digest
    policy: Code
    policy_digest: Digest


class PlanChanged(Payload, frozen=True):
    """The draft has another plan now."""

    plan_digest: Digest


class StateChanged(Payload, frozen=True):
    """An event led from one state to another. reason: a code; plan_digest: of the plan at that moment."""

    event: Event
    before: State
    after: State
    reason: Code = "asked"
    plan_digest: Digest | None = None


class DecisionSigned(Payload, frozen=True):
    """A signed decision was accepted. digest: SHA-256 of its text; key: the signer's public key."""

    decision: Code
    digest: Digest
    key: Digest
    ordinal: Count


class MandateMinted(Payload, frozen=True):
    """Recognition was given its capability."""

    mandate: UUID
    list_digest: Digest
    bundle_digest: Digest
    policy_digest: Digest
    band: Count
    entries: Count
    cameras: Count


class MandateRefused(Payload, frozen=True):
    """A part of the system was asked to recognise without a valid mandate, and did not. code: which check failed."""

    code: Code
    times: Count = 1


class GatesClosed(Payload, frozen=True):
    """Somebody wanted to go on, and something was missing. rules: the ids of what was."""

    wanted: Code
    rules: tuple[Code, ...]


class Filed(Payload, frozen=True):
    """A document that is owed after the end. digest: SHA-256 of it."""

    what: Literal["review", "record"]
    digest: Digest


KINDS: Kinds = {
    "deployment.made": DeploymentMade,
    "deployment.plan-changed": PlanChanged,
    "deployment.state": StateChanged,
    "deployment.decision": DecisionSigned,
    "deployment.gates-closed": GatesClosed,
    "deployment.filed": Filed,
    "mandate.minted": MandateMinted,
    "mandate.refused": MandateRefused,
}
