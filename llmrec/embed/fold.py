"""Placing newcomers beside vectors that are fitted already, with nothing trained anew.

Where it stands: under `fold_in` of the collaborative embedders. What it does not know: how the vectors were made.

A newcomer is known by neighbours: a user by the items they took, an item by the users who took it. The sum of the neighbours' vectors,
divided by the root of their number, is turned into a vector by the linear map that does this best for everyone who is known already.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from llmrec.contracts import Floats, Interactions, Ints, Side, Vectors

RIDGE = 0.01  # share of the mean square of the sums that holds the map near a plain multiple


def fold_in(vectors: Vectors, train: Interactions, took: Sequence[Ints], side: Side) -> Floats:
    """See `FoldsIn.fold_in`: (len(took), d) float32. A row without neighbours of train is zero; a neighbour named twice counts once.

    Each row depends on its own neighbours alone, to the bit. ValueError where a neighbour has no vector.
    """
    own, near = (vectors.users, vectors.items) if side == "user" else (vectors.items, vectors.users)
    known = taken(train) if side == "user" else taken(train).T.tocsr()
    slope, shift = _map(_sums(known, near), own)
    sums = _sums(_matrix(took, len(near), side), near).astype(np.float64)
    rows = [row @ slope + shift if row.any() else np.zeros(own.shape[1]) for row in sums]
    return np.asarray(rows, dtype=np.float32).reshape(len(took), own.shape[1])


def taken(train: Interactions) -> sp.csr_matrix:
    """Who took what: (n, m) float32 of ones, however often."""
    matrix = sp.csr_matrix((np.ones(len(train), dtype=np.float32), (train.user, train.item)), shape=(train.n_users, train.n_items))
    matrix.data[:] = 1.0  # the constructor has summed duplicates
    return matrix


def _sums(matrix: sp.csr_matrix, near: Floats) -> Floats:
    count = np.asarray(matrix.sum(axis=1)).ravel()
    return np.asarray((matrix @ near) / np.sqrt(np.maximum(count, 1))[:, None], dtype=np.float32)


def _map(sums: Floats, own: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ridge regression of the vectors on the sums of neighbours: (d, d) and (d,).

    The penalty draws towards the best multiple of the identity and not towards zero: where few are known, a newcomer lies where their
    neighbours do.
    """
    rows = np.any(sums != 0, axis=1) & np.any(own != 0, axis=1)
    if not rows.any():
        return np.eye(own.shape[1]), np.zeros(own.shape[1])
    x, y = sums[rows].astype(np.float64), own[rows].astype(np.float64)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    energy = float((x * x).sum())
    x, y = x - mean_x, y - mean_y
    multiple = float((x * y).sum()) / ((x * x).sum() + 1e-12 * energy)
    d = x.shape[1]
    ridge = RIDGE * energy / d
    slope = multiple * np.eye(d) + np.linalg.solve(x.T @ x + ridge * np.eye(d), x.T @ (y - multiple * x))
    return slope, mean_y - mean_x @ slope


def _matrix(took: Sequence[Ints], width: int, side: Side) -> sp.csr_matrix:
    rows = np.repeat(np.arange(len(took)), [len(t) for t in took])
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *(np.asarray(t, dtype=np.int64) for t in took)])
    wrong = (columns < 0) | (columns >= width)
    if wrong.any():
        first, other = int(np.argmax(wrong)), "item" if side == "user" else "user"
        raise ValueError(
            f"newcomer {rows[first]} names {other} {columns[first]}, but there are vectors for 0..{width - 1}: leave out who is unknown"
        )
    matrix = sp.csr_matrix((np.ones(len(columns), dtype=np.float32), (rows, columns)), shape=(len(took), width))
    matrix.data[:] = 1.0
    return matrix
