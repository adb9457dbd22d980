"""A deployment's own rotation of template space: nothing enrolled in one deployment matches in another (B12).

Templates and probes are turned by the same random orthogonal matrix, so every cosine and every distance stays what it
was (within 1e-5 in float32), while against another deployment's templates scores are those of strangers (ISO/IEC 24745,
unlinkability). The matrix follows from 32 secret bytes and dies with them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Templates


class Transform:
    """The rotation of one deployment. seed: 32 secret bytes; dim: the templates' length."""

    def __init__(self, seed: bytes, dim: int) -> None:
        # RandomState's stream is frozen by NumPy's policy: the same bytes give the same matrix in every version.
        words = np.frombuffer(seed, "<u4").tolist()
        normal = np.random.RandomState(words).standard_normal((dim, dim))
        q, r = np.linalg.qr(normal)
        # Signs fixed by r, the rotation is uniform over all orthogonal matrices (Mezzadri 2007).
        self._matrix: NDArray[np.float32] = (q * np.sign(np.diag(r))).astype(np.float32)

    def __call__(self, templates: Templates) -> Templates:
        """float32 (n, dim) -> float32 (n, dim), turned. The caller overwrites what it gave."""
        return np.asarray(templates @ self._matrix, np.float32)

    def wipe(self) -> None:
        """Overwrite the matrix."""
        self._matrix.fill(0.0)
