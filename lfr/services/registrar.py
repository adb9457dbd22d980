"""The registrar: who vouches that a key belongs to an officer of this force, of this rank and these roles (A1).

It is this machine's own key (lfr.storage.node), or a key elsewhere: then credentials are made there and imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.config import Config
from lfr.domain.authority import Credential
from lfr.domain.errors import AuthorityError
from lfr.domain.policy import ROLES, Role
from lfr.domain.signing import Signed, instant, open_signed, sign
from lfr.storage.node import Node

VALID = timedelta(days=30)
"""How long a credential holds. It is renewed when half of that is over, at the next signature or by `lfr key renew`."""


@dataclass(frozen=True, slots=True)
class Registrar:
    """force: whose officers it knows. public: 64 hex digits. key: its private half, None when it is elsewhere."""

    force: str
    public: str
    key: Ed25519PrivateKey | None = field(default=None, repr=False)

    def vouch(self, officer: str, *, rank: str | None, roles: Sequence[str], public: str, at: datetime) -> Signed:
        """A signed credential, valid from now. Raises AuthorityError when the registrar is elsewhere."""
        if self.key is None:
            raise AuthorityError(
                f"{officer} has no valid credential, and the registrar of {self.force} is elsewhere",
                hint="have one made there with `lfr key vouch`, then `lfr key import FILE`",
            )
        issued = instant(at)
        held: tuple[Role, ...] = tuple(role for role in ROLES if role in roles)
        return sign(Credential(officer, self.force, rank, held, public, issued, issued + VALID), self.key)

    def read(self, signed: Signed) -> Credential:
        """The credential. Raises SignatureInvalid unless this registrar signed it, AuthorityError for another force."""
        credential = open_signed(signed, Credential, key=self.public)
        if credential.force != self.force:
            raise AuthorityError(f"this credential is for {credential.force}, not for {self.force}")
        return credential


def of(node: Node, config: Config) -> Registrar:
    """The registrar of a configured system: this node's key unless the configuration names another."""
    return local(node, config.force, public=config.registrar)


def local(node: Node, force: str, *, public: str = "") -> Registrar:
    """The registrar of a force. public: another registrar's key; empty = this node is the registrar."""
    if public and public != node.registrar_key:
        return Registrar(force, public)
    return Registrar(force, node.registrar_key, node.registrar)
