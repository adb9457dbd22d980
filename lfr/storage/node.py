"""What one machine holds: its key store, and the keys it signs with (mandates; officers' credentials)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.errors import VaultError
from lfr.domain.signing import public_key_of
from lfr.storage.keyfiles import FileKeys
from lfr.storage.keystore import KeyStore
from lfr.storage.node_key import KeyWrapper, LocalWrapper, create_once, open_wrapper
from lfr.storage.vault import Vault

_SIGNERS = ("minter", "registrar")


@dataclass(frozen=True, slots=True)
class Node:
    """keys: of everything sealed here. minter: signs mandates. registrar: vouches for officers' keys (A1)."""

    keys: KeyStore
    minter: Ed25519PrivateKey = field(repr=False)
    registrar: Ed25519PrivateKey = field(repr=False)

    @property
    def minter_key(self) -> str:
        """The public half, 64 hex digits."""
        return public_key_of(self.minter)

    @property
    def registrar_key(self) -> str:
        """The public half, 64 hex digits."""
        return public_key_of(self.registrar)

    def vault(self) -> Vault:
        """A vault over the key store; one for each event loop."""
        return Vault(self.keys)


def open_node(node_key: str | Path, folder: Path, *, create: bool) -> Node:
    """The node of this key (a file, `env:NAME`, `exec:PROGRAM`) and key-store folder. Raises VaultError.

    create: what is missing is made.
    """
    wrapper = open_wrapper(node_key, create=create)
    if not create and not folder.is_dir():
        raise VaultError(f"there is no key store {folder}", hint="it belongs to the database: put it back")
    keys = FileKeys(folder, wrapper)
    return Node(keys, *(_signer(folder, name, wrapper, create=create) for name in _SIGNERS))


def _signer(folder: Path, name: str, wrapper: KeyWrapper, *, create: bool) -> Ed25519PrivateKey:
    path = folder / f"{name}.key"
    context = f"signer {name}".encode()
    try:
        return Ed25519PrivateKey.from_private_bytes(wrapper.unwrap(path.read_bytes(), context))
    except FileNotFoundError:
        if not create:
            raise VaultError(f"the key store {folder} has no {name} key", hint="restore it from its backup") from None
    except OSError as error:
        raise VaultError(f"cannot read {path}: {error.strerror}", hint="give this user the file") from None
    try:
        create_once(path, wrapper.wrap(secrets.token_bytes(32), context))
    except OSError as error:
        raise VaultError(f"cannot write {path}: {error.strerror}", hint="check folder and disk") from None
    return _signer(folder, name, wrapper, create=False)


def new_node(folder: Path) -> Node:
    """A node with a fresh key that is written nowhere (tests, and runs that end with their data)."""
    wrapper = LocalWrapper(secrets.token_bytes(32))
    return Node(FileKeys(folder, wrapper), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate())
