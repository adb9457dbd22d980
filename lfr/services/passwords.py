"""Passwords: what one must be, its hash (Argon2id), and the work of both, kept off the event loop."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from lfr.domain.errors import Conflict
from lfr.storage import password_key
from lfr.storage.password_key import Cost

LEAST = 12
MOST = 256

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
_hasher = PasswordHasher()  # RFC 9106's second choice: 64 MiB, 3 passes
# Two at a time: each takes 64 MiB, and a flood of sign-ins must not take them all at once.
_working = ThreadPoolExecutor(2, thread_name_prefix="password")
_DECOY = "$argon2id$v=19$m=65536,t=3,p=4$JpwmFUL8kF9uxD44J/3alA$DjFAw0j30lJRm6TuD1lU3ijudLiHfuOgj79wXepMy4M"
"""The hash of a password nobody knows: an unknown name costs an attacker the same time as a known one."""

Answer = TypeVar("Answer")


def normal(text: str) -> str:
    """One byte string for what looks the same, whatever the keyboard."""
    return unicodedata.normalize("NFKC", text)


def checked(password: str, name: str) -> str:
    """The password in its normal form. Raises Conflict for one that is too easy to guess."""
    password = normal(password)
    if not LEAST <= len(password) <= MOST:
        raise Conflict(f"a password has {LEAST} to {MOST} characters", hint="several words will do")
    if (len(name) > 3 and name in password.lower()) or len(set(password)) < 5:
        raise Conflict("this password is too easy to guess", hint="not the user's name, not a few repeated characters")
    return password


def one_time() -> str:
    """20 characters of 31, 99 bits, in groups that can be read aloud."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(5))


async def hashed(password: str) -> str:
    """The hash of a password in its normal form."""
    return await _work(lambda: _hasher.hash(password))


async def verified(password_hash: str | None, password: str) -> bool:
    """Whether the password is the right one. None: the name is unknown, the answer is no after the same work."""

    def verify() -> bool:
        try:
            return _hasher.verify(password_hash or _DECOY, normal(password[:MOST]))
        except Argon2Error:
            return False

    return await _work(verify) and password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made at another cost than today's."""
    return _hasher.check_needs_rehash(password_hash)


async def wrap(secret: bytes, password: str, context: bytes) -> bytes:
    """Wrap a secret under a key made of a password (lfr.storage.password_key)."""
    cost = Cost(_hasher.time_cost, _hasher.memory_cost.bit_length() - 1, _hasher.parallelism)
    return await _work(lambda: password_key.wrap(secret, normal(password), context, cost))


async def unwrap(wrapped: bytes, password: str, context: bytes) -> bytes:
    """Raises VaultError for another password, another context or a changed bit."""
    return await _work(lambda: password_key.unwrap(wrapped, normal(password[:MOST]), context))


async def _work(work: Callable[[], Answer]) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(_working, work)
