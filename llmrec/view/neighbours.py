"""Who is near whom in the original space, not on the map.

Where it stands: beside the map, which always shows these distances next to its own. What it does not know: figures, names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Floats, Vectors

Side = Literal["item", "user"]


@dataclass(frozen=True)
class Neighbours:
    """The nearest of one side, nearest first. indices: (k,) int64; distances: (k,) float32, 1 - cosine, so 0 to 2."""

    side: Side
    indices: NDArray[np.int64]
    distances: Floats


def nearest(vectors: Vectors, side: Side, index: int, k: int = 10, among: Side = "item") -> Neighbours:
    """The k users or items nearest to one user or item, itself left out.

    A row of zeros is near nobody and nobody is near it: fewer than k come back, or none. Crossing the sides needs a joint space.
    """
    if among != side and not vectors.joint:
        raise ValueError("users and items of these vectors live in two spaces: ask for neighbours of the same side")
    rows = vectors.items if side == "item" else vectors.users
    if not 0 <= index < len(rows):
        raise ValueError(f"there is no {side} {index}: these vectors have {side}s 0 to {len(rows) - 1}")
    pool, query = unit(vectors.items if among == "item" else vectors.users), unit(rows[index : index + 1])
    known = np.flatnonzero(pool.any(axis=1))
    if among == side:
        known = known[known != index]
    if not query.any() or not len(known):
        return Neighbours(among, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    found, cosine = knn(pool[known], query, min(k, len(known)))
    return Neighbours(among, known[found[0]], np.clip(1 - cosine[0], 0, 2).astype(np.float32))


def knn(base: Floats, queries: Floats, k: int) -> tuple[NDArray[np.int64], Floats]:
    """Exact inner-product neighbours: base (n, d), queries (b, d) -> indices (b, k), inner products (b, k)."""
    import faiss

    index = faiss.IndexFlatIP(base.shape[1])
    index.add(np.ascontiguousarray(base, dtype=np.float32))
    products, indices = index.search(np.ascontiguousarray(queries, dtype=np.float32), k)
    return indices, products


def unit(x: Floats) -> Floats:
    """Rows of length 1; rows of zeros stay zeros."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(np.divide(x, length, out=np.zeros(x.shape, dtype=np.float32), where=length > 0))
