"""The keys of a region lie on one node; this is how the matchers and writers of the others get at them.

Questions and answers travel sealed under a transit key, which the keeper makes at its start and wraps with the node
key that every node of the region has. So Ray, its memory and whoever listens on the wire see nothing, and nobody
without the node key is answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

import msgspec
import ray
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lfr.actors.ports import cause
from lfr.actors.shell import Shell, find
from lfr.domain.errors import VaultError
from lfr.storage.keyfiles import FileKeys
from lfr.storage.keystore import KEY_BYTES, KeyStore, Ring
from lfr.storage.node_key import NONCE_BYTES, KeyWrapper, open_wrapper

KEEPER = "keeper"
PATIENCE_S = 30.0
_TRANSIT, _ASKS = b"keeper transit", b"keeper asks"


class StrangerAsked(VaultError):
    """A question that the keeper cannot open."""


class Line(Protocol):
    """How one asks the keeper. Both raise VaultError when it does not answer."""

    async def greet(self) -> bytes:
        """The transit key, wrapped by the node key."""
        ...

    async def ask(self, sealed: bytes) -> bytes:
        """The sealed answer to a sealed question. Raises StrangerAsked."""
        ...


class _Question(msgspec.Struct, frozen=True):
    """One call of `KeyStore`. target: where `move` leads."""

    call: Literal["make", "fetch", "shred", "move"]
    ring: Ring
    owners: tuple[UUID, ...] | None
    target: Ring | None = None


class _Answer(msgspec.Struct, frozen=True):
    """keys: of make and fetch. count: of shred and move. refused: the message of a VaultError."""

    keys: dict[UUID, bytes] = {}
    count: int = 0
    refused: str = ""
    hint: str = ""


class Keeper:
    """The plain object: a key store behind sealed questions. greeting: the transit key, wrapped by the node key."""

    def __init__(self, keys: KeyStore, wrapper: KeyWrapper) -> None:
        transit = secrets.token_bytes(KEY_BYTES)
        self.greeting = wrapper.wrap(transit, _TRANSIT)
        self._keys = keys
        self._cipher = AESGCM(transit)

    async def ask(self, sealed: bytes) -> bytes:
        """Answer a sealed question with a sealed answer. Raises StrangerAsked for who has not this transit key."""
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _ASKS)
        except (InvalidTag, ValueError):
            raise StrangerAsked("a question to the keeper does not open", hint="has every node the same key?") from None
        try:
            answer = await self._answer(msgspec.msgpack.decode(plain, type=_Question))
        except VaultError as error:
            answer = _Answer(refused=error.message, hint=error.hint)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(answer), _answers(sealed))

    async def _answer(self, question: _Question) -> _Answer:
        ring, owners = question.ring, question.owners
        match question.call:
            case "make":
                return _Answer(keys=await self._keys.make(ring, owners or ()))
            case "fetch":
                return _Answer(keys=await self._keys.fetch(ring, owners))
            case "shred":
                return _Answer(count=await self._keys.shred(ring, owners))
            case "move":
                assert question.target is not None
                return _Answer(count=await self._keys.move(ring, question.target, owners or ()))


class KeptKeys:
    """`KeyStore` on another node than the one where the keys lie."""

    def __init__(self, wrapper: KeyWrapper, line: Line) -> None:
        self._wrapper = wrapper
        self._line = line
        self._cipher: AESGCM | None = None

    async def make(self, ring: Ring, owners: Sequence[UUID]) -> dict[UUID, bytes]:
        """As `KeyStore.make`."""
        return (await self._put(_Question("make", ring, tuple(owners)))).keys

    async def fetch(self, ring: Ring, owners: Collection[UUID] | None) -> dict[UUID, bytes]:
        """As `KeyStore.fetch`."""
        return (await self._put(_Question("fetch", ring, None if owners is None else tuple(owners)))).keys

    async def shred(self, ring: Ring, owners: Collection[UUID] | None) -> int:
        """As `KeyStore.shred`."""
        return (await self._put(_Question("shred", ring, None if owners is None else tuple(owners)))).count

    async def move(self, source: Ring, target: Ring, owners: Collection[UUID]) -> int:
        """As `KeyStore.move`."""
        return (await self._put(_Question("move", source, tuple(owners), target))).count

    async def _put(self, question: _Question) -> _Answer:
        try:
            answer = await self._exchange(question)
        except StrangerAsked:  # the keeper died and came back with another transit key
            self._cipher = None
            answer = await self._exchange(question)
        if answer.refused:
            raise VaultError(answer.refused, hint=answer.hint)
        return answer

    async def _exchange(self, question: _Question) -> _Answer:
        if self._cipher is None:
            wrapped = await self._line.greet()
            self._cipher = AESGCM(await asyncio.to_thread(self._wrapper.unwrap, wrapped, _TRANSIT))
        cipher, nonce = self._cipher, secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + cipher.encrypt(nonce, msgspec.msgpack.encode(question), _ASKS)
        answer = await self._line.ask(sealed)
        try:
            # It opens only as the answer to this very question: an older one cannot be put in its place.
            plain = cipher.decrypt(answer[:NONCE_BYTES], answer[NONCE_BYTES:], _answers(sealed))
        except (InvalidTag, ValueError):
            raise VaultError("the keeper's answer was changed on its way", hint="see `lfr status`") from None
        return msgspec.msgpack.decode(plain, type=_Answer)


def _answers(question: bytes) -> bytes:
    return b"keeper answers " + hashlib.sha256(question).digest()


class KeeperActor(Shell):
    """The keeper on the node where the keys lie: the driver's."""

    kind = "keeper"
    max_concurrency = 32

    def __init__(self, name: str, folder: str, log_level: str, node_key: str, keys: Path) -> None:
        super().__init__(name, folder, log_level)
        wrapper = open_wrapper(node_key, create=False)
        self._keeper = Keeper(FileKeys(keys, wrapper), wrapper)

    async def greet(self) -> bytes:
        """The transit key, wrapped by the node key."""
        return self._keeper.greeting

    async def ask(self, sealed: bytes) -> bytes:
        """As `Keeper.ask`."""
        return await self._keeper.ask(sealed)

    @ray.method(concurrency_group="control")
    async def status(self) -> dict[str, Any]:
        """Who this is."""
        return {"who": self.who()}


class RayLine:
    """The line to the keeper of this run, over Ray."""

    def __init__(self, name: str = KEEPER) -> None:
        self._name = name

    async def greet(self) -> bytes:
        """As `Line.greet`."""
        return await self._call("greet")

    async def ask(self, sealed: bytes) -> bytes:
        """As `Line.ask`."""
        return await self._call("ask", sealed)

    async def _call(self, method: str, *arguments: bytes) -> bytes:
        try:
            call = getattr(find(self._name), method).remote(*arguments)
            answer: bytes = await asyncio.wait_for(call, PATIENCE_S)
        except Exception as error:
            inner = cause(error)
            if isinstance(inner, VaultError):
                raise inner from error
            raise VaultError("the keeper of the keys does not answer", hint="see `lfr status`") from error
        return answer
