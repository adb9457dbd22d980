"""Secrets wrapped under a key made of a password (Argon2id, AES-256-GCM): the database alone opens none of them.

A wrapped secret is `LFP1` | passes (1) | log2 of KiB (1) | lanes (1) | salt (16) | nonce (12) | ciphertext and tag.
What it belongs to is bound as associated data, so that one cannot be put in the place of another.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lfr.domain.errors import VaultError

MAGIC = b"LFP1"
_SALT, _NONCE, _KEY = 16, 12, 32
_HEAD = len(MAGIC) + 3
_COST_MOST = (10, 20, 16)  # passes, log2 of KiB (1 GiB), lanes: beyond, a changed row could only waste memory
_FAILED = "a secret kept under a password does not open"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs. log2_kib: memory, as a power of two; the default is RFC 9106's second choice."""

    passes: int = 3
    log2_kib: int = 16
    lanes: int = 4


def wrap(secret: bytes, password: str, context: bytes, cost: Cost = Cost()) -> bytes:
    """Wrap a secret. password: as normalised by who asks for it. Takes as long as one guess should."""
    head = MAGIC + bytes((cost.passes, cost.log2_kib, cost.lanes))
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    return head + salt + nonce + _cipher(password, salt, cost).encrypt(nonce, secret, head + context)


def unwrap(wrapped: bytes, password: str, context: bytes) -> bytes:
    """Raises VaultError for another password, another context or a changed bit."""
    head, rest = wrapped[:_HEAD], wrapped[_HEAD:]
    cost = tuple(head[len(MAGIC) :])
    if head[: len(MAGIC)] != MAGIC or len(rest) < _SALT + _NONCE or not _sane(cost):
        raise VaultError(_FAILED, hint="it is cut short or of an unknown form")
    salt, nonce, body = rest[:_SALT], rest[_SALT : _SALT + _NONCE], rest[_SALT + _NONCE :]
    try:
        return _cipher(password, salt, Cost(*cost)).decrypt(nonce, body, head + context)
    except InvalidTag:
        raise VaultError(_FAILED, hint="another password was used, or it was changed") from None


def _sane(cost: tuple[int, ...]) -> bool:
    return len(cost) == 3 and all(1 <= given <= most for given, most in zip(cost, _COST_MOST, strict=True))


def _cipher(password: str, salt: bytes, cost: Cost) -> AESGCM:
    memory = max(2**cost.log2_kib, 8 * cost.lanes)
    key = hash_secret_raw(password.encode(), salt, cost.passes, memory, cost.lanes, _KEY, Type.ID)
    return AESGCM(key)
