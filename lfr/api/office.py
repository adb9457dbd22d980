"""One person's step in one deployment: the service that decides it, then the running system where it must act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, get_args

from lfr.api.auth import Principal
from lfr.api.bound import Bound
from lfr.api.plans import StepIn
from lfr.api.running import Running
from lfr.domain.authority import Decision, Endorsed
from lfr.domain.errors import ConfigError, Conflict, NotAllowed, NotSignedIn
from lfr.services import authorities, closing, deployments, drafts, officers
from lfr.storage.database import Database
from lfr.storage.models import Deployment
from lfr.storage.vault import Vault

SignedStep = Literal["authorise", "refuse", "approve-list", "amend-list", "extend", "restart"]
ActingStep = Literal["go-live", "pause", "resume", "stop", "end"]
PlainStep = Literal["submit", "withdraw", "close", "review", "record"]

_RUNS = frozenset({"live", "paused"})
_TAKES: dict[SignedStep, Callable[..., Awaitable[Deployment]]] = {
    "authorise": authorities.authorise,
    "refuse": authorities.refuse,
    "approve-list": authorities.approve_list,
    "amend-list": authorities.amend_list,
    "extend": authorities.extend,
    "restart": authorities.restart,
}


@dataclass(frozen=True, slots=True)
class Office:
    """Who decides, and with what."""

    person: Principal
    db: Database
    vault: Vault
    bound: Bound
    running: Running

    async def take(self, row: Deployment, step: str, given: StepIn) -> Deployment | None:
        """Take a step; None for one that does not exist. Raises what the step raises, and then nothing has changed."""
        if step in get_args(SignedStep):
            await self._sign(row, step, given)  # type: ignore[arg-type]  # one of the literal's values
        elif step in get_args(ActingStep):
            await self._act(row, step, given)  # type: ignore[arg-type]  # one of the literal's values
        elif step in get_args(PlainStep):
            await self._plain(row, step, given)  # type: ignore[arg-type]  # one of the literal's values
        else:
            return None
        return await deployments.get_deployment(self.db, row.id)

    async def _sign(self, row: Deployment, step: SignedStep, given: StepIn) -> None:
        said = await self._endorsed(row, step, given)
        await _TAKES[step](self.db, row.id, said, terms=await self.bound.terms(self.db), version=given.version)
        if row.state in _RUNS:
            await self.running.renew()

    async def _endorsed(self, row: Deployment, step: SignedStep, given: StepIn) -> Endorsed:
        registrar = self.bound.registrar
        if given.signed is not None:
            return await officers.vouched(self.db, registrar, given.signed)
        if given.password is None:
            raise ConfigError("this decision must be signed", hint="give your password again, or a signed statement")
        try:
            signer = await officers.signer(self.db, registrar, self.person.name, given.password)
        except NotSignedIn as error:  # the session stands: only this decision is refused
            raise NotAllowed(error.message, hint=error.hint) from None
        return signer.endorse(await self._draft(row, step, signer.officer, given))

    async def _draft(self, row: Deployment, step: SignedStep, officer: str, given: StepIn) -> Decision:
        policy = self.bound.policy
        if step == "authorise":
            return drafts.authorisation(row, policy, officer, urgent=given.urgent)
        if step == "refuse":
            return drafts.refusal(row, officer, _reason(given))
        if step == "restart":
            return drafts.restart(row, officer, _reason(given))
        if step == "approve-list":
            return await drafts.list_approval(self.db, row.id, officer, policy)
        if step == "amend-list":
            amendment = await drafts.list_amendment(self.db, row.id, officer)
            if amendment is None:
                raise Conflict("nothing was added to the approved list", hint="a removal needs no signature")
            return amendment
        if given.ends_at is None:
            raise ConfigError("an extension needs its new end", hint="give ends_at")
        return await drafts.extension(self.db, row.id, officer, given.ends_at, _reason(given))

    async def _act(self, row: Deployment, step: ActingStep, given: StepIn) -> None:
        by, reason = self.person.actor, given.reason or "asked"
        if step == "go-live":
            await self.running.go_live(row.id, by)
        elif step == "end" and row.state not in _RUNS:
            await deployments.end(self.db, row.id, by=by, reason=reason)
        elif step == "end":
            await self.running.end(reason, by)
        elif step == "stop":
            await self.running.stop(by)
        elif step == "pause":
            await self.running.pause(reason, by)
        else:
            await self.running.resume(by)

    async def _plain(self, row: Deployment, step: PlainStep, given: StepIn) -> None:
        by, version = self.person.actor, given.version
        if step == "submit":
            await deployments.submit(self.db, row.id, terms=await self.bound.terms(self.db), by=by, version=version)
        elif step == "withdraw":
            await deployments.withdraw(self.db, row.id, by=by, version=version)
        elif step == "close":
            await closing.close(self.db, self.vault, row.id, by=by)
        else:
            await closing.file(self.db, row.id, step, _reason(given).encode(), by=by)


def _reason(given: StepIn) -> str:
    if not given.reason.strip():
        raise ConfigError("this needs its reason", hint="say why, in a sentence; for a review, its reference")
    return given.reason.strip()
