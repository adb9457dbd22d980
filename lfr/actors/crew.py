"""Everybody who recognises, as one: told at once, each within its own time, and who did not answer is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lfr.actors.control import Recognition
from lfr.actors.ports import cause
from lfr.actors.shell import find
from lfr.domain.errors import LfrError, MandateRefused, RuntimeFailed
from lfr.domain.plan import CameraZone
from lfr.domain.signing import Signed

ACKNOWLEDGE_S = 10.0
LOAD_S = 120.0
"""How long a matcher may take to load and verify a list of tens of thousands."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The names of the actors. matcher_of: camera -> the matcher of its node."""

    pool: tuple[str, ...]
    matchers: tuple[str, ...]
    cameras: tuple[str, ...]
    matcher_of: Mapping[str, str] = field(default_factory=dict)


def camera_actor(camera: str) -> str:
    """The name of a camera's actor."""
    return f"camera-{camera}"


class Crew:
    """The actors of a roster, found by name."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.matchers = {name: find(name) for name in roster.matchers}
        self.pool = {name: find(name) for name in roster.pool}
        self.cameras = {camera: find(camera_actor(camera)) for camera in roster.cameras}

    async def begin(self, mandate: Signed, zones: Mapping[str, CameraZone]) -> None:
        """Matchers verify the mandate and load its list; then the cameras whose matcher has it may begin.

        A node that does not answer keeps its own cameras out, not those of others. Raises MandateRefused when anybody
        refuses, RuntimeFailed or VaultError when nobody can serve.
        """
        answers = await _all({name: (one.begin, (mandate,)) for name, one in self.matchers.items()}, LOAD_S)
        failed = {name: answer for name, answer in answers.items() if isinstance(answer, BaseException)}
        refused = next((error for error in failed.values() if isinstance(error, MandateRefused)), None)
        if refused is not None:
            raise refused
        if failed and len(failed) == len(answers):
            raise next(iter(failed.values()))
        served = {camera for camera in zones if self.roster.matcher_of.get(camera) not in failed}
        await self.grant(mandate, {camera: zones[camera] for camera in served})

    async def grant(self, mandate: Signed, zones: Mapping[str, CameraZone]) -> None:
        """These cameras may recognise, each in its zone. Raises MandateRefused; a silent one is asked again later."""
        calls = {
            camera: (self.cameras[camera].grant, (mandate, zone))
            for camera, zone in zones.items()
            if camera in self.cameras
        }
        for answer in (await _all(calls, ACKNOWLEDGE_S)).values():
            if isinstance(answer, MandateRefused):
                raise answer

    async def revoke(self, mandate_id: UUID) -> None:
        """A pause: what is under way is given up and overwritten. Raises RuntimeFailed naming who did not answer."""
        await self._everybody("revoke", mandate_id)

    async def bar(self, deployment_id: UUID, until: float) -> None:
        """A stop or an end: nothing of this deployment issued up to `until` (Unix seconds) is good any more, and the
        list leaves memory. Raises RuntimeFailed naming who did not answer.
        """
        await self._everybody("bar", deployment_id, until)

    async def say(self, word: Recognition, cameras: list[str]) -> None:
        """What the tiles of cameras without a mandate say."""
        await _all({one: (self.cameras[one].withdraw, (word,)) for one in cameras}, ACKNOWLEDGE_S)

    async def drop(self, entry_id: UUID) -> None:
        """Take one entry off every matcher's list at once. Raises RuntimeFailed naming who did not answer."""
        _silent(await _all({name: (one.drop, (entry_id,)) for name, one in self.matchers.items()}, ACKNOWLEDGE_S))

    async def refresh(self) -> None:
        """Every matcher has taken off whoever was taken off. Raises RuntimeFailed naming who did not answer."""
        _silent(await _all({name: (one.refresh, ()) for name, one in self.matchers.items()}, ACKNOWLEDGE_S))

    async def _everybody(self, method: str, *arguments: Any) -> None:
        everybody = {
            **self.pool,
            **self.matchers,
            **{camera_actor(name): one for name, one in self.cameras.items()},
        }
        calls = {name: (getattr(one, method), arguments) for name, one in everybody.items()}
        _silent(await _all(calls, ACKNOWLEDGE_S))


Call = tuple[Any, tuple[Any, ...]]


async def _all(calls: Mapping[str, Call], timeout: float) -> dict[str, Any]:
    """Answers by name; an exception where there is none."""

    async def one(name: str, call: Call) -> Any:
        method, arguments = call
        return await answered(lambda: method.remote(*arguments), name, timeout)

    answers = await asyncio.gather(*(one(name, call) for name, call in calls.items()), return_exceptions=True)
    return dict(zip(calls, answers, strict=True))


async def answered(call: Callable[[], Awaitable[Any]], name: str, timeout: float) -> Any:
    """One actor's answer. Raises what it raised of ours, or RuntimeFailed with its name."""
    try:
        return await asyncio.wait_for(call(), timeout)
    except Exception as error:
        inner = cause(error)
        if isinstance(inner, LfrError):
            raise inner from error
        raise RuntimeFailed(f"{name} does not answer", hint="it may be restarting: see `lfr status`") from error


def _silent(answers: Mapping[str, Any]) -> None:
    silent = [name for name, answer in answers.items() if isinstance(answer, BaseException)]
    if silent:
        raise RuntimeFailed(f"no acknowledgement from {', '.join(silent)}", hint="see `lfr status`, then try again")
