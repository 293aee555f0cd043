"""Nearest centre: the simplest quantizer, one book whose codewords are centres of clusters.

Where it stands: inside stage 3; META ID names newcomers with it. What it does not know: names, users, items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Floats, Ints
from llmrec.ids.vq import blocks


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
        """(n, d) to (n, 1) int32; of centres equally near the first. A row's code hangs on nothing but the row: see `blocks.encode`."""
        across, half = blocks.turned(self.centres)
        empty = ~np.any(self.centres != 0, axis=1)

        def codes(block: Floats) -> Ints:
            near = self._cosines(block, across, empty).argmax(1) if self.cosine else blocks.nearest(block, (across, half))
            return near[:, None].astype(np.int32)

        return blocks.encode(rows, self.centres.shape[1], 1, codes)

    def decode(self, codes: Ints) -> Floats:
        """(n, 1) to (n, d): each code's centre."""
        return np.asarray(self.centres[codes[:, 0]], dtype=np.float32)

    @staticmethod
    def _cosines(rows: Floats, across: Floats, empty: NDArray[np.bool_]) -> Floats:
        """(n, k); across: the centres on their side, (d, k); empty: (k,) whether a centre is all zero."""
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        cosine = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0) @ across
        cosine[:, empty] = np.where(length > 0, np.float32(-2), np.float32(2))  # nothing is known of either
        return np.asarray(cosine, dtype=np.float32)
