"""What an audit entry may say: a closed vocabulary, one typed payload per kind, no faces, templates or public names.

A payload holds ids, counts, numbers and code words only. A name typed by somebody who is not known here, a label of the
watchlist or a file's name has no field to stand in.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lfr.audit.vocabulary import KINDS, WITHHELD
from lfr.audit.vocabulary.base import Short
from lfr.domain.canonical import canonical


def checked(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as plain JSON values, if the kind allows it.

    Raises ValueError naming kind and field, never the value.
    """
    if kind not in KINDS:
        raise ValueError(f"no audit entry of kind {kind!r}")
    try:
        typed = msgspec.convert(dict(payload), KINDS[kind], builtin_types=())
    except msgspec.ValidationError as error:
        # msgspec names the field and the type it wanted; it does not repeat the value.
        raise ValueError(f"audit entry {kind}: {error}") from None
    plain = msgspec.to_builtins(typed, str_keys=True)
    if any(isinstance(value, float) and not math.isfinite(value) for value in plain.values()):
        raise ValueError(f"audit entry {kind}: a number must be finite")
    # JSON knows no tuples: an entry is the same before and after it was stored.
    lists = {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}
    return {key: value for key, value in lists.items() if value is not None}


def public(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What of a payload may go out as an event."""
    withheld = WITHHELD.get(kind, frozenset())
    return {key: value for key, value in payload.items() if key not in withheld}


def named(text: str, what: str) -> str:
    """An actor or a subject, if it is one short line. Raises ValueError."""
    try:
        return msgspec.convert(text, Short)
    except msgspec.ValidationError:
        raise ValueError(f"audit entry: {what} must be 1 to 120 printable characters") from None


def envelope(*, entry_id: UUID, at: datetime, kind: str, actor: str, subject: str, payload: Mapping[str, Any]) -> bytes:
    """The bytes of one entry that its leaf hash covers. `at` is written in UTC to the microsecond.

    Raises ValueError for a naive time.
    """
    if at.utcoffset() != timedelta(0):
        raise ValueError("an entry's time must be in UTC")
    stamp = at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return canonical(
        {"v": 1, "id": str(entry_id), "at": stamp, "kind": kind, "actor": actor, "subject": subject, "payload": payload}
    )


def leaf_hash(data: bytes) -> bytes:
    """The 32-byte leaf hash of RFC 6962, 2.1: SHA-256 over a zero byte and the data."""
    return hashlib.sha256(b"\x00" + data).digest()
