"""Codes of a vector's direction: any quantizer, shown rows of length 1.

Where it stands: inside stage 3; what the masked quantizer does by itself, TokenRec does with this for the quantizers that it is compared
with. What it does not know: which quantizer is inside, names, users, items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Floats, Ints, Quantizer

Fit = Callable[[Floats, np.random.Generator], Quantizer]  # (n, d) rows to what names them


@dataclass(frozen=True, eq=False)
class Directions:
    """The codes that `inner` gives a row's direction; a row of zeros is the direction nothing, and gets codes like any other."""

    inner: Quantizer

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.inner.sizes

    def encode(self, rows: Floats) -> Ints:
        """(n, d) to (n, depth) int32, as pure as what is inside."""
        return self.inner.encode(directions(rows))

    def decode(self, codes: Ints) -> Floats:
        """(n, depth) to (n, d): the directions that the codes stand for, of about length 1."""
        return self.inner.decode(codes)


def directions(rows: Floats) -> Floats:
    """Rows of length 1, or 0: a new array. Each row by itself, in double precision, so that its company and its size change no bit."""
    wide = np.ascontiguousarray(rows, dtype=np.float32).astype(np.float64)
    length = np.sqrt((wide * wide).sum(axis=-1, keepdims=True))
    with np.errstate(invalid="ignore"):  # a row that is not finite stays so, and is refused by its number inside
        return np.asarray(wide / np.where(length > 0, length, 1), dtype=np.float32)


def learn(fit: Fit, rows: Floats, rng: np.random.Generator) -> Directions:
    """Fit on the directions of (n, d) rows; those of zeros teach nothing and are left out."""
    known = rows[np.any(rows != 0, axis=1)]
    return Directions(fit(directions(known if len(known) else rows), rng))
