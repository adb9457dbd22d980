"""Who on a list looks much like whom: every pair is compared, block by block, in memory (B7)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Metric, Templates

_BLOCK = 512


def most_alike(
    templates: Templates, owners: Sequence[UUID], metric: Metric, level: float
) -> dict[UUID, tuple[UUID, float]]:
    """Entry -> the other entry it is most alike to and their score, for all whose score reaches `level`.

    templates: float32 (n, dim), one row a picture; owners: whose picture. Two pictures of one entry are not compared.
    The answer is the same whichever way round: if one is named, its other has one that is at least as alike.
    """
    indices = {owner: number for number, owner in enumerate(dict.fromkeys(owners))}
    names = list(indices)
    owner = np.array([indices[one] for one in owners], np.int64)
    norms = (templates * templates).sum(axis=1)
    best = np.full(len(names), -np.inf, np.float32)
    other = np.full(len(names), -1, np.int64)
    for start in range(0, len(templates), _BLOCK):
        rows = slice(start, start + _BLOCK)
        # Each pair once: a block against itself and everything after it.
        scores = _scores(templates[rows], templates[start:], norms[rows], norms[start:], metric)
        found = np.argwhere(scores >= level)
        for row, column in found:
            one, two = owner[start + row], owner[start + column]
            score = scores[row, column]
            if one == two:
                continue
            for left, right in ((one, two), (two, one)):
                if score > best[left]:
                    best[left], other[left] = score, right
    return {names[one]: (names[other[one]], float(best[one])) for one in np.flatnonzero(other >= 0)}


def _scores(
    left: Templates, right: Templates, left_norms: NDArray[np.float32], right_norms: NDArray[np.float32], metric: Metric
) -> NDArray[np.float32]:
    products = left @ right.T
    if metric == "cosine":
        return np.asarray(products, np.float32)
    squared = left_norms[:, None] + right_norms[None, :] - 2.0 * products
    return np.asarray(1.0 - np.sqrt(np.maximum(squared, 0.0)), np.float32)
