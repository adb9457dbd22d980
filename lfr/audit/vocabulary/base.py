"""What payloads are made of: ids, counts, numbers and code words; never free text."""

from __future__ import annotations

from typing import Annotated

import msgspec

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9 ._:-]{0,79}$")]
"""A code word of ours, never free text."""

Camera = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unknown fields are errors."""


class Nothing(Payload, frozen=True):
    """The kind says it all."""


Kinds = dict[str, type[Payload]]
"""Kind of entry -> what it carries."""

__all__ = ["Camera", "Code", "Count", "Digest", "Kinds", "Nothing", "Payload", "Short"]
