"""Signing keys that are held elsewhere than in the database: one file, its private half under a password."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.authority import (
    Approval,
    Authorisation,
    Extension,
    ListAmendment,
    ListApproval,
    Oversight,
    Refusal,
    Restart,
)
from lfr.domain.errors import ConfigError, SignatureInvalid, VaultError
from lfr.domain.signing import text_of
from lfr.services import officer_keys, passwords
from lfr.storage.node_key import create_once

_MOST = 256 * 1024

Signable = Authorisation | Refusal | Extension | ListApproval | ListAmendment | Restart | Approval | Oversight
"""What may be signed by hand. A credential or a mandate is not among them: those are the registrar's and the node's."""


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lfr_key: int
    public: str
    wrapped: bytes


async def new(path: Path, password: str) -> str:
    """Make a key file (0600); returns the public key, 64 hex digits.

    Raises Conflict for a weak password, ConfigError when the file is there already or cannot be written.
    """
    passwords.checked(password, "")
    made = await officer_keys.generate(password)
    _create(path, msgspec.json.encode(_KeyFile(1, made.public, made.wrapped)) + b"\n")
    return made.public


def _create(path: Path, held: bytes) -> None:
    if path.exists():
        raise ConfigError(f"{path} is there already", hint="a key is never overwritten: choose another name")
    try:
        create_once(path, held)
        kept = path.read_bytes() == held
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}", hint="check folder and disk") from None
    if not kept:  # somebody else was faster
        raise ConfigError(f"{path} is there already", hint="a key is never overwritten: choose another name")


async def unlock(path: Path, password: str) -> Ed25519PrivateKey:
    """Raises ConfigError for what is no key file, SignatureInvalid for another password or a changed bit."""
    held = _read(path)
    try:
        key = await officer_keys.unlock(held.public, held.wrapped, password)
    except VaultError:
        raise SignatureInvalid(
            f"the key in {path} does not open", hint="the password is wrong, or it was changed"
        ) from None
    return key


def public_of(path: Path) -> str:
    """The public key in a key file, 64 hex digits. Raises ConfigError."""
    return _read(path).public


def _read(path: Path) -> _KeyFile:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST)
        held = msgspec.json.decode(raw, type=_KeyFile)
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", hint="give the file that `lfr key new` made"
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ConfigError(f"{path} is no key file", hint="give the file that `lfr key new` made") from None
    if held.lfr_key != 1:
        raise ConfigError(f"{path} was made by another version of lfr")
    return held


def draft(path: Path) -> Signable:
    """An unsigned statement from a file. Raises ConfigError, SignatureInvalid for what may not be signed by hand."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    try:
        said: Signable = msgspec.json.decode(raw, type=Signable)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise SignatureInvalid(
            f"{path} is no statement that may be signed", hint="give the file that --draft wrote"
        ) from None
    if text_of(said).encode() != raw.strip():
        raise SignatureInvalid(
            f"{path} is not in its canonical form", hint="give the file that --draft wrote, unchanged"
        )
    return said
