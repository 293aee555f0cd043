"""Nearest centre: the simplest quantizer, one book whose codewords are centres of clusters.

Where it stands: inside stage 3; META ID names newcomers with it. What it does not know: names, users, items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Floats, Ints

BLOCK = 65_536  # rows compared at once


@dataclass(frozen=True, eq=False)
class Centroids:
    """One code per row: the centre with the highest cosine, or the nearest one. centres: (k, d) float32.

    cosine: compare directions (centres of length 1); a row or centre of zeros is nearest to the zero centre where there is one.
    """

    centres: Floats
    cosine: bool = True

    @property
    def sizes(self) -> tuple[int, ...]:
        return (len(self.centres),)

    def encode(self, rows: Floats) -> Ints:
        """(n, d) to (n, 1) int32."""
        out = np.empty((len(rows), 1), dtype=np.int32)
        for first in range(0, len(rows), BLOCK):
            part = np.asarray(rows[first : first + BLOCK], dtype=np.float32)
            out[first : first + BLOCK, 0] = (self._cosines(part) if self.cosine else -self._distances(part)).argmax(1)
        return out

    def decode(self, codes: Ints) -> Floats:
        """(n, 1) to (n, d): each code's centre."""
        return np.asarray(self.centres[codes[:, 0]], dtype=np.float32)

    def _cosines(self, rows: Floats) -> Floats:
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        cosine = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0) @ self.centres.T
        empty = ~np.any(self.centres != 0, axis=1)
        cosine[:, empty] = np.where(length > 0, np.float32(-2), np.float32(2))  # nothing is known of either
        return np.asarray(cosine, dtype=np.float32)

    def _distances(self, rows: Floats) -> Floats:
        return np.asarray((self.centres**2).sum(1) - 2 * rows @ self.centres.T, dtype=np.float32)
