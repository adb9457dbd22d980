"""Signed statements: who said what, in bytes that an outsider can check (Ed25519, RFC 8032, over RFC 8785 JSON).

A statement is a tagged struct; its canonical text is what is signed, with a prefix of its own, so that a signature over
one thing can never be passed off as a signature over another.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lfr.domain.canonical import canonical
from lfr.domain.errors import SignatureInvalid

PREFIX = b"lfr signed statement 1\x00"
TEXT_MOST = 256 * 1024
"""Bytes of a statement's text that anybody will look at."""


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """The base of all that can be signed. A subclass has a tag of its own: `lfr.NAME/VERSION`."""


Said = TypeVar("Said", bound=Statement)


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement with its signature, as it is stored, sent, and carried in a file or QR code.

    text: the canonical JSON that was signed. key: the signer's public key, 64 hex digits. signature: base64, 64 bytes.
    """

    text: str
    key: str
    signature: str

    def encode(self) -> bytes:
        """As one line of JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes | str) -> Signed:
        """Raises SignatureInvalid for what is no signed statement."""
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise SignatureInvalid("this is no signed statement", hint="give the file as it was signed") from None


def text_of(statement: Statement) -> str:
    """The canonical text of a statement: what its signature covers. Raises ValueError for a time that is not in UTC."""
    return canonical(_plain(msgspec.to_builtins(statement, str_keys=True, builtin_types=(datetime,)))).decode()


def _plain(value: Any) -> Any:
    # One moment has one text: with an offset, or with none, the same statement could be written in several ways.
    if isinstance(value, datetime):
        if value.utcoffset() != timedelta(0):
            raise ValueError("a statement's time must be in UTC")
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


def sign(statement: Statement, key: Ed25519PrivateKey) -> Signed:
    """Sign a statement."""
    text = text_of(statement)
    signature = key.sign(PREFIX + text.encode())
    return Signed(text, public_key_of(key), base64.b64encode(signature).decode())


def open_signed(signed: Signed, kind: type[Said], *, key: str | None = None) -> Said:
    """The statement, if its signature is good and it is of this kind. key: whose it must be, when that is known.

    Without `key` the signature only proves that the holder of `signed.key` said it: the caller finds out who that is.
    Raises SignatureInvalid.
    """
    if key is not None and signed.key != key:
        raise SignatureInvalid("signed with another key than the one expected")
    text = signed.text.encode()
    if len(text) > TEXT_MOST:
        raise SignatureInvalid("a signed statement is too long")
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.key))
        public.verify(base64.b64decode(signed.signature, validate=True), PREFIX + text)
        if public.public_bytes_raw().hex() != signed.key:
            raise SignatureInvalid("a public key is written as 64 lower-case hex digits")
    except (ValueError, binascii.Error, InvalidSignature):
        raise SignatureInvalid("the signature is not good: text, key or signature were changed") from None
    try:
        statement = msgspec.json.decode(text, type=kind)
        same = text_of(statement).encode() == text
    except (msgspec.MsgspecError, RecursionError):
        raise SignatureInvalid(f"this is no {kind.__struct_config__.tag} statement") from None
    except ValueError:  # a number or a time that has no canonical form
        same = False
    if not same:
        raise SignatureInvalid("a signed statement is not in its canonical form")
    return statement


def public_key_of(key: Ed25519PrivateKey) -> str:
    """64 hex digits."""
    return key.public_key().public_bytes_raw().hex()


def instant(at: datetime) -> datetime:
    """A moment as statements carry it: UTC, whole seconds. Raises ValueError without a zone."""
    if at.utcoffset() != timedelta(0):
        raise ValueError("a statement's time must be in UTC")
    return at.replace(microsecond=0)
