"""Written reasons as figures: how many different words a text has, and how much of one stands in another (A2)."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]{2,}")
_RUN = 3
"""Words in a row that are compared together: one word exchanged in a sentence leaves the others recognisable."""


def words(text: str) -> tuple[str, ...]:
    """The words of a text, of at least two letters, in their order, whatever case or alphabet."""
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def different_words(text: str) -> int:
    """How many different words a text has."""
    return len(set(words(text)))


def likeness(one: str, other: str) -> float:
    """The share (0..1) of the shorter text's runs of three words that stand in the other, too; 0 where one is empty."""
    first, second = _runs(one), _runs(other)
    shorter = min(len(first), len(second))
    return len(first & second) / shorter if shorter else 0.0


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    found = words(text)
    if not found:
        return frozenset()
    return frozenset(found[at : at + _RUN] for at in range(max(1, len(found) - _RUN + 1)))
