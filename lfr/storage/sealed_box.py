"""Sealing to somebody's public key: whoever writes cannot read (X25519, HKDF-SHA256, AES-256-GCM).

A box is `LFX1` | ephemeral public key (32) | nonce (12) | ciphertext and tag. The key follows from the ephemeral and
the recipient's key, both of which are bound; so is what the box belongs to. All boxes of one `size` are equally long.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lfr.domain.errors import VaultError

MAGIC = b"LFX1"
_KEY, _NONCE, _LENGTH = 32, 12, 4


def seal(plain: bytes, public: bytes, context: bytes, *, size: int) -> bytes:
    """Seal to a public key (32 bytes). size: bytes to pad the plain text to. Raises VaultError if it is longer."""
    if len(plain) > size:
        raise VaultError("there is too much to be sealed", hint=f"at most {size} bytes")
    padded = len(plain).to_bytes(_LENGTH, "big") + plain.ljust(size, b"\0")
    ephemeral = X25519PrivateKey.generate()
    mine = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    nonce = secrets.token_bytes(_NONCE)
    return MAGIC + mine + nonce + _cipher(shared, mine, public).encrypt(nonce, padded, MAGIC + context)


def unseal(box: bytes, private: X25519PrivateKey, context: bytes) -> bytes:
    """Raises VaultError for another key, another context or a changed bit."""
    head = len(MAGIC) + _KEY
    mine, nonce, body = box[len(MAGIC) : head], box[head : head + _NONCE], box[head + _NONCE :]
    public = private.public_key().public_bytes_raw()
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(mine))
        padded = _cipher(shared, mine, public).decrypt(nonce, body, MAGIC + context)
    except (InvalidTag, ValueError):
        padded = b""
    if box[: len(MAGIC)] != MAGIC or len(padded) < _LENGTH:
        raise VaultError("a sealed row does not open", hint="it was changed, or sealed to another key")
    return padded[_LENGTH : _LENGTH + int.from_bytes(padded[:_LENGTH], "big")]


def _cipher(shared: bytes, ephemeral: bytes, recipient: bytes) -> AESGCM:
    info = b"lfr sealed box 1" + ephemeral + recipient
    return AESGCM(HKDF(SHA256(), _KEY, salt=None, info=info).derive(shared))
