"""What is kept, held and destroyed (G2, G6), and the data protection officer's look into the ledger (B13)."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lfr.api.auth import Principal, only
from lfr.api.bound import Bound
from lfr.domain.duties import HOLDERS
from lfr.domain.errors import NotAllowed, NotFound, NotSignedIn
from lfr.domain.ledger import Choice, letter
from lfr.services import balance, deployments, holds, ledger
from lfr.services.holds import Asked
from lfr.services.ledger import Inquiry
from lfr.services.life import plan_of
from lfr.storage.database import Database
from lfr.storage.vault import Vault

OFFICER = only("data-protection-officer")
REMEMBERED = 16
Asking = Request[Principal, str | None, Any]


class BalanceOut(msgspec.Struct, frozen=True):
    """The books of one deployment. off: how many objects do not balance; why: what is wrong with them."""

    deployment_id: UUID
    title: str
    state: str
    created: int
    living: int
    held: int
    deleted: int
    off: int
    why: dict[str, int]


class HoldOut(msgspec.Struct, frozen=True):
    """One alert kept as evidence."""

    id: UUID
    alert_id: UUID
    reason: str
    reason_title: str
    reference: str
    owner: str
    placed_by: str
    placed_at: datetime
    expires_at: datetime


class RetentionOut(msgspec.Struct, frozen=True):
    """The books of every deployment that ever stored anything, and every hold in force."""

    balances: list[BalanceOut]
    holds: list[HoldOut]


class NewHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an alert is kept longer. reason: a code of the policy."""

    reason: Annotated[str, msgspec.Meta(max_length=63)]
    owner: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    days: Annotated[float, msgspec.Meta(gt=0, le=3650)]
    reference: Annotated[str, msgspec.Meta(max_length=120)] = ""


class RetentionController(Controller):
    """Books and holds."""

    path = "/retention"
    tags = ("retention",)

    @get()
    async def retention(
        self, db: NamedDependency[Database], vault: NamedDependency[Vault], bound: NamedDependency[Bound]
    ) -> RetentionOut:
        """What was made, lives, is held and was destroyed, deployment by deployment."""
        titles = {one.code: one.title for one in bound.policy.holds}
        books = []
        for row in await deployments.list_deployments(db, bound.config.name):
            found = await balance.look(db, vault, row.id)
            if found.created:
                books.append(
                    BalanceOut(
                        row.id,
                        plan_of(row).title,
                        row.state,
                        found.created,
                        found.living,
                        found.held,
                        found.deleted,
                        found.off,
                        dict(found.why),
                    )
                )
        kept = [
            HoldOut(
                one.id,
                one.alert_id,
                one.reason,
                titles.get(one.reason, one.reason),
                one.reference,
                one.owner,
                one.placed_by,
                one.placed_at,
                one.expires_at,
            )
            for one in await holds.list_holds(db)
        ]
        return RetentionOut(books, kept)


class HoldController(Controller):
    """Alerts kept as evidence."""

    path = "/"
    tags = ("retention",)

    @post("/alerts/{alert:uuid}/hold", guards=[only(*HOLDERS)], status_code=201)
    async def place(
        self,
        request: Asking,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        bound: NamedDependency[Bound],
        alert: FromPath[UUID],
        data: JSONBody[NewHold],
    ) -> None:
        """Keep one alert's pictures beyond their time, for a reason from the policy's closed list."""
        asked = Asked(data.reason, data.reference, data.owner, data.days)
        await holds.place(db, vault, alert, asked, policy=bound.policy, by=request.user.name)

    @post("/holds/{hold:uuid}/release", guards=[only(*HOLDERS)], status_code=204)
    async def release(
        self, request: Asking, db: NamedDependency[Database], vault: NamedDependency[Vault], hold: FromPath[UUID]
    ) -> None:
        """End a hold; pictures whose own time is over are destroyed."""
        await holds.release(db, vault, hold, by=request.user.name)


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the request is about, and the ledger's password, which opens it for this one look."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]

    def __repr__(self) -> str:
        return "Question(...)"


class MembershipOut(msgspec.Struct, frozen=True):
    """One time that somebody was on a list. taken_off_at: null = still listed."""

    category: str
    reason: str
    legal_basis: str
    listed_at: datetime
    taken_off_at: datetime | None


class InquiryOut(msgspec.Struct, frozen=True):
    """What the ledger holds under a reference."""

    id: UUID
    memberships: list[MembershipOut]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the officer chose to reply."""

    reply: Choice
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class LetterOut(msgspec.Struct, frozen=True):
    """The words of the answer to the person."""

    letter: str


class Inquiries:
    """Looks that wait for their reply, in memory, for the officer who made them."""

    def __init__(self) -> None:
        self._open: OrderedDict[UUID, Inquiry] = OrderedDict()

    def keep(self, inquiry: Inquiry) -> None:
        """Remember one; the oldest goes first."""
        self._open[inquiry.id] = inquiry
        while len(self._open) > REMEMBERED:
            self._open.popitem(last=False)

    def take(self, inquiry_id: UUID, officer: str) -> Inquiry:
        """Raises NotFound."""
        found = self._open.get(inquiry_id)
        if found is None or found.officer != officer:
            raise NotFound("there is no such look into the ledger", hint="look it up again, then reply")
        return found


class RightsController(Controller):
    """Answers to people who ask whether they were listed. For the data protection officer only."""

    path = "/rights"
    tags = ("rights",)
    guards = [OFFICER]  # noqa: RUF012 - the framework's way

    @post(status_code=200, opt={"rate": "sign_in"})
    async def ask(
        self,
        request: Asking,
        db: NamedDependency[Database],
        inquiries: NamedDependency[Inquiries],
        data: JSONBody[Question],
    ) -> InquiryOut:
        """Look a reference up. The log says that the ledger was asked, nothing else."""
        try:
            found = await ledger.ask(db, request.user.name, data.password, data.reference)
        except NotSignedIn as error:  # the session stands: only this look is refused
            raise NotAllowed(error.message, hint=error.hint) from None
        inquiries.keep(found)
        lines = [
            MembershipOut(one.category, one.reason, one.legal_basis, one.listed_at, one.taken_off_at)
            for one in found.memberships
        ]
        return InquiryOut(found.id, lines)

    @post("/{inquiry:uuid}/reply", status_code=200)
    async def reply(
        self,
        request: Asking,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        inquiries: NamedDependency[Inquiries],
        inquiry: FromPath[UUID],
        data: JSONBody[Answer],
    ) -> LetterOut:
        """Keep what is replied, sealed, and give the words for the letter. All replies look alike to everybody else."""
        found = inquiries.take(inquiry, request.user.name)
        await ledger.reply(db, found, data.reply, reason=data.reason, policy=bound.policy)
        return LetterOut(letter(data.reply, found.memberships, bound.policy.retention.ledger_months))
