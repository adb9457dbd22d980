"""What a deployment rests on outside of itself: documents, approvals from outside, signs at the place, the notice."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lfr.audit.vocabulary.base import Code, Digest, Kinds, Nothing, Payload

Metres = Annotated[float, msgspec.Meta(ge=0)]


class DocumentAdded(Payload, frozen=True):
    """A document was registered. digest: SHA-256 of its file."""

    code: Code
    digest: Digest
    covers_public: bool


class ApprovalGiven(Payload, frozen=True):
    """An approver from outside decided."""

    approver: Code
    decision: Literal["approve", "refuse"]


class ApprovalUnanswered(Payload, frozen=True):
    """An approver was asked and did not decide: that is a no."""

    approver: Code


class SignsPhotographed(Payload, frozen=True):
    """A photograph of one item. metres: from the place; absent = the device did not say where it was."""

    item: Code
    objects: tuple[UUID, ...]
    metres: Metres | None = None


class SignsConfirmed(Payload, frozen=True):
    """Somebody looked again, and all still stood."""

    metres: Metres | None = None


class NoticePublished(Payload, frozen=True):
    """The advance notice is out. digest: SHA-256 of its text."""

    digest: Digest


KINDS: Kinds = {
    "document.added": DocumentAdded,
    "document.withdrawn": Nothing,
    "approval.given": ApprovalGiven,
    "approval.unanswered": ApprovalUnanswered,
    "signs.photographed": SignsPhotographed,
    "signs.confirmed": SignsConfirmed,
    "notice.published": NoticePublished,
}
