"""Accounts and sessions."""

from __future__ import annotations

from lfr.audit.vocabulary.base import Code, Count, Digest, Kinds, Nothing, Payload
from lfr.domain.policy import Role


class UserAdded(Payload, frozen=True):
    """An account was made, or has other roles or another rank now."""

    roles: tuple[Role, ...]
    rank: Code | None = None


class UserLocked(Payload, frozen=True):
    """Too many failures in a row."""

    failures: Count
    seconds: Count


class KeyMade(Payload, frozen=True):
    """An officer has a new signing key. key: the public half."""

    key: Digest


class KeyVouched(Payload, frozen=True):
    """The registrar's credential for a key was made or imported. expires_at: Unix seconds."""

    key: Digest
    expires_at: float


KINDS: Kinds = {
    "user.added": UserAdded,
    "user.changed": UserAdded,
    "user.signed-in": Nothing,
    "user.sign-in-failed": Nothing,
    "user.locked": UserLocked,
    "user.signed-out": Nothing,
    "user.password-changed": Nothing,
    "user.password-reset": Nothing,
    "user.key-made": KeyMade,
    "user.key-retired": KeyMade,
    "user.vouched": KeyVouched,
}
